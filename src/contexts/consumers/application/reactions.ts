import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates, toDomainEvent, type Reaction, type StoredEvent } from '../../../platform/event-log/index.js';
import { namespaceAggregate } from '../../tenancy/index.js';
import { topicAggregate } from '../../topics/index.js';
import { deleteConsumer, dropTopic, type ConsumerRef } from '../domain/consumer.js';
import { ConsumerCatalog, type ConsumerView } from './ports.js';

const PAGE = 100;

const refOf = ({ tenantId, namespaceId, consumerId }: ConsumerView): ConsumerRef => ({
  tenantId,
  namespaceId,
  consumerId,
});
const actorOf = (stored: StoredEvent) => systemActor(stored.correlationId ?? stored.id);

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
    for (const consumer of await this.consumers.subscribedTo(tenantId, topicUid)) {
      const ref = refOf(consumer);
      await this.aggregates.change(this.consumers, ref, actorOf(stored), (state) => dropTopic(state, ref, topicUid));
    }
  };
}

/** A deleted namespace takes its consumers with it; those of a namespace made anew under the same id are younger, and stay. */
@Injectable()
export class OnNamespaceDeleted implements Reaction {
  readonly name = 'consumers:on-namespace-deleted';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.namespaces };

  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  handle = async (stored: StoredEvent): Promise<void> => {
    const event = toDomainEvent(namespaceAggregate, stored);
    if (event.type !== 'namespace.deleted') return;
    for (let after = ''; ;) {
      const page = await this.consumers.list(event.data, after, PAGE);
      for (const consumer of page.filter(({ createdAt }) => createdAt <= stored.recordedAt)) {
        const ref = refOf(consumer);
        await this.aggregates.change(this.consumers, ref, actorOf(stored), (state) =>
          state.status === 'none' ? [] : deleteConsumer(state, ref),
        );
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.consumerId;
    }
  };
}
