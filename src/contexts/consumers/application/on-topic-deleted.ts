import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates, toDomainEvent, type Reaction, type StoredEvent } from '../../../platform/event-log/index.js';
import { topicAggregate } from '../../topics/index.js';
import { dropTopic } from '../domain/consumer.js';
import { ConsumerCatalog } from './ports.js';

/** A deleted topic leaves its consumers. */
@Injectable()
export class OnTopicDeleted implements Reaction {
  readonly name = 'consumers:on-topic-deleted';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.topics };

  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  handle = async (stored: StoredEvent): Promise<void> => {
    const event = toDomainEvent(topicAggregate, stored);
    if (event.type !== 'topic.deleted') return;
    const { tenantId, topicUid } = event.data;
    const actor = systemActor(stored.correlationId ?? stored.id);
    for (const { namespaceId, consumerId } of await this.consumers.subscribedTo(tenantId, topicUid)) {
      const ref = { tenantId, namespaceId, consumerId };
      await this.aggregates.change(this.consumers, ref, actor, (state) => dropTopic(state, ref, topicUid));
    }
  };
}
