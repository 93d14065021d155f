import { serializedLog, type Aggregate } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { consumerError } from './consumer-errors.js';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';

export interface ConsumerRef {
  readonly tenantId: string;
  readonly namespaceId: string;
  readonly consumerId: string;
}

/** A topic of a consumer, and the position after which it began: with what is recorded from then on, where a time is given. */
export interface Subscription {
  readonly topicId: string;
  readonly topicUid: string;
  readonly startPosition: number;
  readonly notBefore?: number;
}

/** How a consumer is called. Header values and signing secrets are kept apart: they never enter the log. */
export interface ConsumerSettings {
  readonly name: string | null;
  readonly url: string;
  readonly correlationId: string;
  readonly headerNames: readonly string[];
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
}

/** gone: the endpoint answered 410. no-longer-permitted: the user on whose right it ran has lost it. */
export type PauseReason = 'requested' | 'gone' | 'no-longer-permitted';

export type ConsumerEvent =
  | {
      type: 'consumer.registered';
      data: ConsumerRef & Registration;
    }
  | { type: 'consumer.runs-on-changed'; data: ConsumerRef & { runsOn: string } }
  | { type: 'consumer.configured'; data: ConsumerRef & Partial<ConsumerSettings> }
  | { type: 'consumer.topics-added'; data: ConsumerRef & { topics: readonly Subscription[] } }
  | { type: 'consumer.topics-removed'; data: ConsumerRef & { topicUids: readonly string[] } }
  | { type: 'consumer.paused'; data: ConsumerRef & { reason: PauseReason } }
  | { type: 'consumer.resumed'; data: ConsumerRef }
  | { type: 'consumer.deleted'; data: ConsumerRef & { consumerUid: string } };

export interface Registered {
  readonly status: 'active' | 'paused';
  readonly pauseReason: PauseReason | null;
  readonly consumerUid: string;
  /** The user on whose right to read its topics it runs. */
  readonly runsOn: string;
  readonly settings: ConsumerSettings;
  readonly topics: readonly Subscription[];
  readonly createdAt: number;
}

export type ConsumerState = { readonly status: 'none'; readonly consumerUid?: string } | Registered;

export const consumerAggregate: Aggregate<ConsumerState, ConsumerEvent, ConsumerRef> = {
  topicUid: serializedLog('consumers'),
  eventTypes: {
    'consumer.registered': { version: 1 },
    'consumer.runs-on-changed': { version: 1 },
    'consumer.configured': { version: 1 },
    'consumer.topics-added': { version: 1 },
    'consumer.topics-removed': { version: 1 },
    'consumer.paused': { version: 1 },
    'consumer.resumed': { version: 1 },
    'consumer.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantId, namespaceId, consumerId }) => `${tenantId}/${namespaceId}/${consumerId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, namespaceId, consumerId }) =>
    `tenants/${tenantId}/namespaces/${namespaceId}/consumers/${consumerId}`,
  evolve(state, event, { recordedAt }): ConsumerState {
    if (event.type === 'consumer.registered') return registered(event.data, recordedAt);
    return state.status === 'none' ? state : changed(state, event);
  },
};

function registered(data: Registration, createdAt: number): Registered {
  const { name, url, correlationId, headerNames, retry, timeoutMs, consumerUid, runsOn, topics } = data;
  const settings = { name, url, correlationId, headerNames, retry, timeoutMs };
  return { status: 'active', pauseReason: null, consumerUid, runsOn, settings, topics, createdAt };
}

function changed(state: Registered, event: Exclude<ConsumerEvent, { type: 'consumer.registered' }>): ConsumerState {
  switch (event.type) {
    case 'consumer.configured': {
      const { tenantId: _, namespaceId: __, consumerId: ___, ...settings } = event.data;
      return { ...state, settings: { ...state.settings, ...settings } };
    }
    case 'consumer.runs-on-changed':
      return { ...state, runsOn: event.data.runsOn };
    case 'consumer.topics-added':
      return { ...state, topics: [...state.topics, ...event.data.topics] };
    case 'consumer.topics-removed':
      return { ...state, topics: state.topics.filter(({ topicUid }) => !event.data.topicUids.includes(topicUid)) };
    case 'consumer.paused':
      return { ...state, status: 'paused', pauseReason: event.data.reason };
    case 'consumer.resumed':
      return { ...state, status: 'active', pauseReason: null };
    case 'consumer.deleted':
      return { status: 'none', consumerUid: state.consumerUid };
    default:
      return state;
  }
}

export interface Registration extends ConsumerSettings {
  readonly consumerUid: string;
  readonly runsOn: string;
  readonly topics: readonly Subscription[];
}

export function registerConsumer(state: ConsumerState, ref: ConsumerRef, registration: Registration): ConsumerEvent[] {
  if (!isChosenId(ref.consumerId)) throw consumerError('consumer-id-invalid', `"${ref.consumerId}" is no valid id.`);
  if (state.status !== 'none') throw consumerError('consumer-exists', `Consumer "${ref.consumerId}" exists.`);
  return [{ type: 'consumer.registered', data: { ...ref, ...registration } }];
}

export interface Reconfiguration extends Partial<ConsumerSettings> {
  /** The complete new list of topics; topics that stay keep their place. */
  readonly topics?: readonly Subscription[];
  /** Header values changed, which the log does not show. */
  readonly headersChanged?: boolean;
  /** Named in the change. */
  readonly runsOn?: string;
}

/** A user who changes where events go, which ones, or with what, has them sent on their own right, not on that of another. */
export function reconfigureConsumer(
  state: ConsumerState,
  ref: ConsumerRef,
  { runsOn, ...change }: Reconfiguration,
  byUserId: string,
): ConsumerEvent[] {
  const consumer = existing(state, ref);
  const events = reconfigured(consumer, ref, change);
  const directs = events.some((event) => event.type !== 'consumer.configured' || event.data.url !== undefined);
  const runner = runsOn ?? (directs || change.headersChanged ? byUserId : consumer.runsOn);
  return runner === consumer.runsOn ? events : [runOn(ref, runner), ...events];
}

function reconfigured(consumer: Registered, ref: ConsumerRef, change: Reconfiguration): ConsumerEvent[] {
  const { topics, headersChanged, ...settings } = change;
  const events: ConsumerEvent[] = [];
  const differing = Object.entries(settings).filter(
    ([name, value]) =>
      value !== undefined &&
      JSON.stringify(value) !== JSON.stringify(consumer.settings[name as keyof ConsumerSettings]),
  );
  if (differing.length > 0 || headersChanged)
    events.push({ type: 'consumer.configured', data: { ...ref, ...Object.fromEntries(differing) } });
  if (topics) {
    const wanted = new Set(topics.map(({ topicUid }) => topicUid));
    const held = new Set(consumer.topics.map(({ topicUid }) => topicUid));
    const removed = [...held].filter((uid) => !wanted.has(uid));
    const added = topics.filter(({ topicUid }) => !held.has(topicUid));
    if (removed.length > 0) events.push({ type: 'consumer.topics-removed', data: { ...ref, topicUids: removed } });
    if (added.length > 0) events.push({ type: 'consumer.topics-added', data: { ...ref, topics: added } });
  }
  return events;
}

export function pauseConsumer(state: ConsumerState, ref: ConsumerRef, reason: PauseReason): ConsumerEvent[] {
  return existing(state, ref).status === 'paused' ? [] : [{ type: 'consumer.paused', data: { ...ref, reason } }];
}

/** Also for one that is not paused: it makes a blocked lane try again. One whose right was gone runs on that of the user who resumes it. */
export function resumeConsumer(state: ConsumerState, ref: ConsumerRef, byUserId: string): ConsumerEvent[] {
  const { pauseReason, runsOn } = existing(state, ref);
  const resumed: ConsumerEvent = { type: 'consumer.resumed', data: { ...ref } };
  return pauseReason === 'no-longer-permitted' && runsOn !== byUserId ? [runOn(ref, byUserId), resumed] : [resumed];
}

/**
 * The right of the consumer as it was `checked` is gone. Also where it is paused: the reason then says what it takes to resume it. One
 * that has changed since then is checked on its own.
 */
export function withdrawRight(
  state: ConsumerState,
  ref: ConsumerRef,
  checked: Pick<Registered, 'runsOn' | 'topics'>,
): ConsumerEvent[] {
  if (state.status === 'none' || state.pauseReason === 'no-longer-permitted') return [];
  const same = state.runsOn === checked.runsOn && uidsOf(state) === uidsOf(checked);
  return same ? [{ type: 'consumer.paused', data: { ...ref, reason: 'no-longer-permitted' } }] : [];
}

const runOn = (ref: ConsumerRef, runsOn: string): ConsumerEvent => ({
  type: 'consumer.runs-on-changed',
  data: { ...ref, runsOn },
});

const uidsOf = ({ topics }: Pick<Registered, 'topics'>): string => topics.map(({ topicUid }) => topicUid).join();

export interface ShownState {
  readonly state: Registered['status'];
  readonly reason: PauseReason | 'topics-deleted' | null;
}

/**
 * Whether it is paused, and why, as responses show it. One whose topics were all deleted gets nothing, so that it is not called active; no
 * event says so, since it continues by itself as soon as it has a topic again. A topic created again under an old name is another one.
 */
export function shownState({
  status,
  pauseReason,
  topics,
}: Pick<Registered, 'status' | 'pauseReason' | 'topics'>): ShownState {
  if (status === 'active' && topics.length === 0) return { state: 'paused', reason: 'topics-deleted' };
  return { state: status, reason: pauseReason };
}

export function deleteConsumer(state: ConsumerState, ref: ConsumerRef): ConsumerEvent[] {
  const { consumerUid } = existing(state, ref);
  return [{ type: 'consumer.deleted', data: { ...ref, consumerUid } }];
}

/** A topic may have been deleted since it was looked up; then nothing would remove it from the consumer any more. */
export function requireTopics(missing: readonly Subscription[]): void {
  const [first] = missing;
  if (first) throw consumerError('consumer-invalid', `There is no topic "${first.topicId}" in the namespace.`);
}

/** The consumer loses a topic that no longer exists. */
export function dropTopic(state: ConsumerState, ref: ConsumerRef, topicUid: string): ConsumerEvent[] {
  if (state.status === 'none' || !state.topics.some((topic) => topic.topicUid === topicUid)) return [];
  return [{ type: 'consumer.topics-removed', data: { ...ref, topicUids: [topicUid] } }];
}

function existing(state: ConsumerState, ref: ConsumerRef): Registered {
  if (state.status === 'none') throw consumerNotFound(ref);
  return state;
}

export const consumerNotFound = ({ consumerId }: Pick<ConsumerRef, 'consumerId'>): Error =>
  consumerError('consumer-not-found', `There is no consumer "${consumerId}".`);
