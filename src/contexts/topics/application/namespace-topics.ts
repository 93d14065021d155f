import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { NamespaceHoldings, NamespaceRef } from '../../tenancy/index.js';
import { deleteTopic } from '../domain/topic.js';
import { TopicCatalog } from './ports.js';

const PAGE = 100;

@Injectable()
export class NamespaceTopics implements NamespaceHoldings {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly topics: TopicCatalog,
  ) {}

  async any(namespace: NamespaceRef): Promise<boolean> {
    return (await this.topics.list(namespace, '', 1)).length > 0;
  }

  async remove(namespace: NamespaceRef, until: number, by: Actor): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.topics.list(namespace, after, PAGE);
      for (const { tenantId, namespaceId, topicId, topicUid } of page.filter(({ createdAt }) => createdAt <= until)) {
        const ref = { tenantId, namespaceId, topicId };
        await this.aggregates.change(this.topics, ref, by, (state) =>
          state.status === 'active' && state.topicUid === topicUid ? deleteTopic(state, ref) : [],
        );
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.topicId;
    }
  }
}
