import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { EndingTenant, NamespaceContentProvider, NamespaceLife, NamespaceRef } from '../../tenancy/index.js';
import { deleteConsumer } from '../domain/consumer.js';
import { ConsumerCatalog, type ConsumerView } from './ports.js';

const PAGE = 100;

@Injectable()
export class NamespaceConsumers implements NamespaceContentProvider {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  any(sql: Sql, namespace: NamespaceRef): Promise<boolean> {
    return this.consumers.anyIn(sql, namespace);
  }

  async remove(namespace: NamespaceLife, by: Actor): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.consumers.list(namespace, after, PAGE);
      for (const consumer of page)
        if (consumer.namespaceUid === namespace.namespaceUid) await this.removeConsumer(consumer, by);
      if (page.length < PAGE) return;
      after = page.at(-1)!.consumerId;
    }
  }

  count(tenantId: string): Promise<number> {
    return this.consumers.countOf(tenantId);
  }

  async clear(tenant: EndingTenant, by: Actor, signal: AbortSignal): Promise<void> {
    for (let rest = await this.remaining(tenant); rest.length > 0; rest = await this.remaining(tenant)) {
      for (const consumer of rest) {
        signal.throwIfAborted();
        await this.removeConsumer(consumer, by);
      }
    }
  }

  private remaining(tenant: EndingTenant): Promise<ConsumerView[]> {
    return this.consumers.ending(tenant, PAGE);
  }

  private async removeConsumer(consumer: ConsumerView, by: Actor): Promise<void> {
    const { tenantId, namespaceId, consumerId, consumerUid } = consumer;
    const ref = { tenantId, namespaceId, consumerId };
    await this.aggregates.change(this.consumers, ref, by, (state) =>
      state.status !== 'none' && state.consumerUid === consumerUid ? deleteConsumer(state, ref) : [],
    );
  }
}
