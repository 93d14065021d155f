import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates, toDomainEvent, type Reaction, type StoredEvent } from '../../../platform/event-log/index.js';
import { namespaceAggregate } from '../../tenancy/index.js';
import { deleteTopic } from '../domain/topic.js';
import { TopicCatalog } from './ports.js';

const PAGE = 100;

/** A deleted namespace takes its topics with it; those of a namespace made anew under the same id are younger, and stay. */
@Injectable()
export class OnNamespaceDeleted implements Reaction {
  readonly name = 'topics:on-namespace-deleted';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.namespaces };

  constructor(
    private readonly aggregates: Aggregates,
    private readonly topics: TopicCatalog,
  ) {}

  handle = async (stored: StoredEvent): Promise<void> => {
    const event = toDomainEvent(namespaceAggregate, stored);
    if (event.type !== 'namespace.deleted') return;
    const actor = systemActor(stored.correlationId ?? stored.id);
    for (let after = ''; ;) {
      const page = await this.topics.list(event.data, after, PAGE);
      for (const topic of page.filter(({ createdAt }) => createdAt <= stored.recordedAt)) {
        const { tenantId, namespaceId, topicId } = topic;
        const ref = { tenantId, namespaceId, topicId };
        await this.aggregates.change(this.topics, ref, actor, (state) =>
          state.status === 'active' ? deleteTopic(state, ref) : [],
        );
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.topicId;
    }
  };
}
