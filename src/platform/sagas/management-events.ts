import { filter, type OperatorFunction } from 'rxjs';
import { MANAGEMENT_TOPICS, type Aggregate, type DomainEvent, type ManagementLog } from '../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../kernel/ids.js';
import { toDomainEvent, type StoredEvent, type Subscription } from '../event-log/index.js';

/**
 * An event was committed, here or by another instance. It comes the moment that it is heard of, perhaps early and twice, and nobody keeps
 * a place: what it leads to may only let something be forgotten, or be looked at again.
 */
export class Noticed {
  constructor(
    readonly log: ManagementLog,
    readonly event: StoredEvent,
  ) {}
}

/** What was noticed did not have its effect: a saga, or a command of one, failed. Nothing that is remembered is sure any more. */
export class Missed {}

/**
 * What a durable subscription has come to, in order and at least once. Its place is kept when everything that this leads to is done; what
 * fails comes again, and what comes after it waits.
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

/** The name is that of the checkpoint, which stores hold: it never changes. */
export function subscriptionTo(log: ManagementLog, name: string, { inPages = false } = {}): Subscription {
  return { name, log: { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS[log] }, inPages };
}

/** Those of one type, with their data in today's shape. Others are not read: a newer instance may have written some that are not known here. */
export function ofType<S, E extends DomainEvent, R, T extends E['type']>(
  aggregate: Aggregate<S, E, R>,
  type: T,
  events: readonly StoredEvent[],
): { readonly stored: StoredEvent; readonly data: Extract<E, { type: T }>['data'] }[] {
  return events
    .filter((stored) => stored.type === type)
    .map((stored) => ({ stored, data: toDomainEvent(aggregate, stored).data }));
}

/** The correlation id of what an event leads to. */
export const causeOf = ({ correlationId, id }: StoredEvent): string => correlationId ?? id;
