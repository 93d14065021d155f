import { AggregateRepository, type LogRef } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { EndingTenant, NamespaceRef } from '../../tenancy/index.js';
import type { TopicEvent, TopicRef, TopicState } from '../domain/topic.js';
import type { TopicFacts } from './topic-rules.js';

export interface TopicView extends TopicRef {
  readonly topicUid: string;
  /** The life of the namespace that it belongs to. */
  readonly namespaceUid: string;
  readonly description: string | null;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A topic whose events are still to be removed. */
export type Removal = LogRef;

/** Topics as queries see them; lists are in order of ids. */
export abstract class TopicCatalog extends AggregateRepository<TopicState, TopicEvent, TopicRef, TopicFacts> {
  abstract find(ref: TopicRef): Promise<TopicView | undefined>;
  abstract findByUids(tenantId: string, topicUids: readonly string[]): Promise<TopicView[]>;
  abstract list(namespace: NamespaceRef, afterId: string, limit: number): Promise<TopicView[]>;
  /** Whether the namespace has any, seen from inside a transaction. */
  abstract anyIn(sql: Sql, namespace: NamespaceRef): Promise<boolean>;
  /** Payloads and metadata of all topics of a tenant. */
  abstract storedBytes(tenantId: string): Promise<number>;
  /** Some topics of a tenant that ends by this deletion, whatever namespace they are in; none of a later tenant with the same id. */
  abstract ending(tenant: EndingTenant, limit: number): Promise<TopicView[]>;
  /** Topics of a tenant and their events, with those of deleted topics that are not removed yet. */
  abstract countOf(tenantId: string): Promise<number>;
  abstract removals(limit: number): Promise<Removal[]>;
  abstract removalsOf(tenantId: string, limit: number): Promise<Removal[]>;
  /** Deletes at most `limit` events of a deleted topic; false when none are left, and then forgets the removal. */
  abstract removeEvents(removal: Removal, limit: number): Promise<boolean>;
}
