import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { NamespaceHoldings, NamespaceLife, NamespaceRef } from '../../tenancy/index.js';
import { deleteTopic } from '../domain/topic.js';
import { TopicCatalog } from './ports.js';

const PAGE = 100;

@Injectable()
export class NamespaceTopics implements NamespaceHoldings {
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
      for (const { tenantId, namespaceId, topicId, topicUid } of page.filter(
        ({ namespaceUid }) => namespaceUid === namespace.namespaceUid,
      )) {
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
