import { Injectable } from '@nestjs/common';
import { systemActor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { settleFounder } from '../domain/consumer.js';
import { ConsumerCatalog, FounderStore } from './ports.js';

const PAGE = 100;

/** At the first start after the upgrade: consumers of before run on the right of whoever registered them, as the migration has found it. */
@Injectable()
export class Founders {
  constructor(
    private readonly founders: FounderStore,
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  async settle(): Promise<void> {
    for (let rest = await this.founders.some(PAGE); rest.length > 0; rest = await this.founders.some(PAGE)) {
      for (const { tenantId, consumerUid, userId } of rest) {
        const consumer = await this.consumers.findByUid(tenantId, consumerUid);
        if (consumer) {
          const ref = { tenantId, namespaceId: consumer.namespaceId, consumerId: consumer.consumerId };
          const actor = systemActor('upgrade');
          await this.aggregates.change(this.consumers, ref, actor, (state) => settleFounder(state, ref, userId));
        }
        await this.founders.forget(tenantId, consumerUid);
      }
    }
  }
}
