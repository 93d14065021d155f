import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { EndingTenant, NamespaceContentProvider, NamespaceLife, NamespaceRef } from '../../tenancy/index.js';
import { deleteTopic, type TopicRef } from '../domain/topic.js';
import { TopicCatalog, type Removal, type TopicView } from './ports.js';

const PAGE = 100;
/** Each slice of events is a transaction of its own, so that no append waits for it. */
const SLICE = 5_000;

@Injectable()
export class NamespaceTopics implements NamespaceContentProvider {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly topics: TopicCatalog,
  ) {}

  any(sql: Sql, namespace: NamespaceRef): Promise<boolean> {
    return this.topics.anyIn(sql, namespace);
  }

  async remove(namespace: NamespaceLife, by: Actor): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.topics.list(namespace, after, PAGE);
      for (const topic of page) if (topic.namespaceUid === namespace.namespaceUid) await this.removeTopic(topic, by);
      if (page.length < PAGE) return;
      after = page.at(-1)!.topicId;
    }
  }

  count(tenantId: string): Promise<number> {
    return this.topics.countOf(tenantId);
  }

  /** Down to the last event, without waiting behind the removals of other tenants. */
  async clear(tenant: EndingTenant, by: Actor, signal: AbortSignal): Promise<void> {
    for (let rest = await this.remaining(tenant); rest.length > 0; rest = await this.remaining(tenant)) {
      for (const topic of rest) {
        signal.throwIfAborted();
        await this.removeTopic(topic, by);
      }
    }
    for (let left = await this.pendingRemovals(tenant); left.length > 0; left = await this.pendingRemovals(tenant)) {
      for (const removal of left) {
        signal.throwIfAborted();
        await this.topics.removeEvents(removal, SLICE);
      }
    }
  }

  private remaining(tenant: EndingTenant): Promise<TopicView[]> {
    return this.topics.ending(tenant, PAGE);
  }

  private pendingRemovals({ tenantId }: EndingTenant): Promise<Removal[]> {
    return this.topics.removalsOf(tenantId, PAGE);
  }

  private async removeTopic({ tenantId, namespaceId, topicId, topicUid }: TopicView, by: Actor): Promise<void> {
    const ref: TopicRef = { tenantId, namespaceId, topicId };
    await this.aggregates.change(this.topics, ref, by, (state) =>
      state.status === 'active' && state.topicUid === topicUid ? deleteTopic(state, ref) : [],
    );
  }
}
