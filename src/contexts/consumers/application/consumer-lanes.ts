import type { Sql } from '../../../platform/postgres/database.js';
import type { Subscription } from '../domain/consumer.js';
import type { SubscribedConsumer, LaneKeeper } from './ports.js';

/** Deliveries come later in the order of contexts, and register themselves here. */
export class ConsumerLanes implements LaneKeeper {
  private keeper: LaneKeeper | undefined;

  register(keeper: LaneKeeper): void {
    this.keeper = keeper;
  }

  changed(sql: Sql, consumer: SubscribedConsumer, topics: readonly Subscription[]): Promise<void> {
    return this.registered.changed(sql, consumer, topics);
  }

  consumersOf(tenantId: string, topicUid: string): Promise<string[]> {
    return this.registered.consumersOf(tenantId, topicUid);
  }

  /** Without it nothing would be delivered to the consumers that are registered. */
  private get registered(): LaneKeeper {
    if (!this.keeper) throw new Error('No keeper of lanes is registered.');
    return this.keeper;
  }
}
