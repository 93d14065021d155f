import { filter, type OperatorFunction } from 'rxjs';
import { MANAGEMENT_TOPICS, type Aggregate, type DomainEvent, type ManagementLog } from '../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../kernel/ids.js';
import { toDomainEvent, type StoredEvent, type Subscription } from '../event-log/index.js';

/**
 * An event was committed, here or by another instance. It is published as soon as this process learns of it, perhaps early and twice,
 * without a checkpoint: its consequences may only invalidate caches, or trigger a look at the store.
 */
export class Noticed {
  constructor(
    readonly log: ManagementLog,
    readonly event: StoredEvent,
  ) {}
}

/** A saga of `Noticed`, or a command of one, failed. No cached state can be trusted any more. */
export class Missed {}

/**
 * Events that a durable subscription has reached, in order and at least once. Its checkpoint is stored when all their consequences are
 * done; failed events come again, and later events wait.
 */
export class Due {
  constructor(
    readonly subscription: string,
    readonly events: readonly StoredEvent[],
    /** Aborted when the process stops. */
    readonly signal: AbortSignal,
  ) {}
}

export type ManagementEvent = Noticed | Missed | Due;

export const noticedIn = (...logs: readonly ManagementLog[]): OperatorFunction<ManagementEvent, Noticed> =>
  filter((event): event is Noticed => event instanceof Noticed && logs.includes(event.log));

export const missed: OperatorFunction<ManagementEvent, Missed> = filter((event) => event instanceof Missed);

export const dueFor = ({ name }: Subscription): OperatorFunction<ManagementEvent, Due> =>
  filter((event): event is Due => event instanceof Due && event.subscription === name);

const LOGS = new Map(Object.entries(MANAGEMENT_TOPICS).map(([log, uid]) => [uid as string, log as ManagementLog]));

export const logOf = (topicUid: string): ManagementLog => LOGS.get(topicUid)!;

/** The name is that of the checkpoint, which stores contain: it never changes. */
export function subscriptionTo(log: ManagementLog, name: string, { inPages = false } = {}): Subscription {
  return { name, log: { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS[log] }, inPages };
}

/**
 * Events of one type, with their data upcast to the current version. Others are not read: a newer instance may have written types that this
 * one does not know.
 */
export function ofType<S, E extends DomainEvent, R, T extends E['type']>(
  aggregate: Aggregate<S, E, R>,
  type: T,
  events: readonly StoredEvent[],
): { readonly stored: StoredEvent; readonly data: Extract<E, { type: T }>['data'] }[] {
  return events
    .filter((stored) => stored.type === type)
    .map((stored) => ({ stored, data: toDomainEvent(aggregate, stored).data }));
}

/** The correlation id for the consequences of an event. */
export const causeOf = ({ correlationId, id }: StoredEvent): string => correlationId ?? id;
