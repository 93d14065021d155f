import type { Versioned } from '../../../kernel/aggregate.js';
import { AggregateRepository } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { EndingTenant, NamespaceRef } from '../../tenancy/index.js';
import type { ConsumerEvent, ConsumerRef, ConsumerState, Registered, Subscription } from '../domain/consumer.js';
import type { ConsumerFacts } from './consumer-rules.js';

export interface ConsumerView extends ConsumerRef, Registered {
  /** The life of the namespace that it belongs to. */
  readonly namespaceUid: string;
  readonly version: number;
  readonly updatedAt: number;
}

/** As responses show it. */
export type ShownConsumer = Omit<ConsumerView, 'namespaceUid'>;

export type ConsumerRepository = AggregateRepository<ConsumerState, ConsumerEvent, ConsumerRef, ConsumerFacts>;

/** What is kept encrypted, and apart from the log. */
export interface ConsumerSecrets {
  /** `whsec_…`, newest first: each delivery is signed with all of them. */
  readonly signing: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Consumers as queries see them; lists are in order of ids. `find`, `list` and `shown` show no deleted topic, even before it
 * is removed from them.
 */
export abstract class ConsumerCatalog extends AggregateRepository<
  ConsumerState,
  ConsumerEvent,
  ConsumerRef,
  ConsumerFacts
> {
  /** The view of the result of a change. */
  abstract shown(ref: ConsumerRef, changed: Versioned<ConsumerState>): Promise<ShownConsumer>;
  /** The same repository, which also stores these secrets in the transaction of the change. */
  abstract storing(secrets: ConsumerSecrets): ConsumerRepository;
  abstract find(ref: ConsumerRef): Promise<ConsumerView | undefined>;
  abstract findByUid(tenantId: string, consumerUid: string): Promise<ConsumerView | undefined>;
  /** `consumer-secrets-unreadable`: they were encrypted with a master key that this instance does not have. */
  abstract secretsOf(consumer: Pick<ConsumerView, 'tenantId' | 'consumerUid'>): Promise<ConsumerSecrets>;
  abstract list(namespace: NamespaceRef, afterId: string, limit: number): Promise<ConsumerView[]>;
  /** Whether the namespace has any, seen from inside a transaction. */
  abstract anyIn(sql: Sql, namespace: NamespaceRef): Promise<boolean>;
  /** Some consumers of a tenant that ends by this deletion, whatever namespace they are in; none of a later tenant with the same id. */
  abstract ending(tenant: EndingTenant, limit: number): Promise<ConsumerView[]>;
  abstract countOf(tenantId: string): Promise<number>;
  /** Consumers that are subscribed to a topic, by its uid. */
  abstract subscribedTo(tenantId: string, topicUid: string): Promise<ConsumerView[]>;
}

/** Consumers by the users on whose rights they run, page by page; `tenantId` null: of all tenants. */
export abstract class RunningConsumers {
  abstract on(userIds: readonly string[], tenantId: string | null): AsyncIterable<readonly ConsumerView[]>;
  abstract in(tenantId: string | null): AsyncIterable<readonly ConsumerView[]>;
  /** `paths` as `<namespace>/<consumer>`. */
  abstract named(tenantId: string, paths: readonly string[]): AsyncIterable<readonly ConsumerView[]>;
}

export interface SubscribedConsumer {
  readonly tenantId: string;
  readonly consumerUid: string;
  /** Of the consumer, with this change of its topics. */
  readonly version: number;
}

/** Keeps a lane for each topic of a consumer. */
export interface LaneKeeper {
  /** In the transaction that changes which topics a consumer has; these are all of them, and none of their logs ends meanwhile. */
  changed(sql: Sql, consumer: SubscribedConsumer, topics: readonly Subscription[]): Promise<void>;
  /** The consumers that have a topic. */
  consumersOf(tenantId: string, topicUid: string): Promise<string[]>;
}

export interface ConsumerFollower {
  /** Resolves when all changes that were stored before the call are in force. */
  caughtUp(): Promise<void>;
  /** From now on nothing more is sent to these versions of the consumers. */
  withhold(consumers: readonly ConsumerView[]): void;
}
