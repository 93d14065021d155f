import type { LimitLeft } from './limit-left.js';

/** A fact about an aggregate: the type is a stable string (`topic.created`), never a class name. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/** Everything that is known about a type of event; the write model and all readers take their lists from here. */
export interface EventType {
  /** Version of the data's shape that is written today. */
  readonly version: number;
  /** Turns data of an older version into today's. */
  readonly upcast?: (data: object, version: number) => object;
}

/**
 * An event-sourced aggregate: pure, its state follows from its events alone. `R` identifies one, `F` is what its `check` must know of others.
 */
export interface Aggregate<S, E extends DomainEvent, R, F = unknown> {
  /** The topic in `$system/$management` that holds its streams; `serializedLog(…)` where `check` relies on the order of that log. */
  readonly topicUid: string;
  readonly eventTypes: Readonly<Record<E['type'], EventType>>;
  readonly initial: S;
  streamOf(ref: R): string;
  /** The tenant whose life the event is about. */
  tenantOf(ref: R): string;
  /** The resource path of the aggregate, as permissions and the audit use it: `tenants/acme/namespaces/shop`. */
  resourceOf(ref: R): string;
  evolve(state: S, event: E, meta: EventMeta): S;
  /**
   * The rules that the events of one aggregate cannot express: limits, what is in use, what must exist. Throws if the change must not be made.
   * `facts` are what the repository has read from the store, inside the transaction of the change and before it is written.
   */
  check?(facts: F, changed: Changed<S, E>, ref: R): void;
}

export interface EventMeta {
  /** Milliseconds since the epoch. */
  readonly recordedAt: number;
}

/** Who caused a change, and in which request. */
export interface Actor {
  /** `usr_…`, `key_…`, `system` or `anonymous`. */
  readonly id: string;
  readonly correlationId: string;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  /** Where the request came from; undefined for what the system does by itself. */
  readonly origin?: Origin;
  /** Notified of the position of each of their changes in the management log, once it is committed. */
  readonly onWritten?: (topicUid: string, position: number) => void;
  /** Notified of what is left of the limits that apply to their request. */
  readonly onLimit?: (left: LimitLeft) => void;
  /**
   * Called in the transaction of each of their changes, before it is made: throws if the rights that the request was admitted with are gone.
   * Requests wait for their place in the log, and those rights may have been revoked meanwhile.
   */
  confirm?(transaction: object): Promise<void>;
}

export interface Origin {
  readonly address: string;
  readonly userAgent: string | null;
  /** `POST /tenants/:tenantId/namespaces` */
  readonly route: string;
  /** The user whose rights were used; an API key acts for its owner. */
  readonly userId: string | null;
}

/** The actor of what the system does by itself. */
export const systemActor = (correlationId: string): Actor => ({
  id: 'system',
  correlationId,
  traceparent: null,
  tracestate: null,
});

export interface Versioned<S> {
  readonly state: S;
  /** The number of events so far; 0: it never existed. */
  readonly version: number;
  /** When the last of them was recorded; 0: it never existed. */
  readonly recordedAt: number;
}

/** A change that is being made: the aggregate after the change. */
export interface Changed<S, E extends DomainEvent = DomainEvent> extends Versioned<S> {
  readonly before: S;
  /** The events that lead from `before` to `state`, in order. */
  readonly events: readonly E[];
}

/** Names of the management topics: part of migration 0001. */
export const MANAGEMENT_TOPICS = {
  tenants: '00000000-0000-7000-8000-000000000001',
  namespaces: '00000000-0000-7000-8000-000000000002',
  topics: '00000000-0000-7000-8000-000000000003',
  consumers: '00000000-0000-7000-8000-000000000004',
  users: '00000000-0000-7000-8000-000000000005',
  permissions: '00000000-0000-7000-8000-000000000006',
  apiKeys: '00000000-0000-7000-8000-000000000007',
  sessions: '00000000-0000-7000-8000-000000000008',
} as const;

export type ManagementLog = keyof typeof MANAGEMENT_TOPICS;

/**
 * Every change of an aggregate locks the head of its log from before `check` until the commit. So data that only aggregates of this log change
 * is stable meanwhile, and needs no lock of its own; a repository locks everything else that it reads for `check`.
 */
export const serializedLog = (log: ManagementLog): string => MANAGEMENT_TOPICS[log];
