import type { Clock } from '../../kernel/clock.js';
import { exhaustedLimit } from '../../kernel/limit-left.js';
import { boundedMap } from '../limits/bounded-map.js';
import type { Database } from '../postgres/database.js';
import { AppendStore } from './append-store.js';
import type { AppendRequest, AppendResult, StoredEvent } from './event.js';
import { Flush } from './flush.js';
import { TenantQueue, type Flushed, type FlushUnderWay, type Pending } from './tenant-queue.js';
import { logError } from './log-errors.js';

export interface AppenderOptions {
  /** Events and bytes that may wait for a flush, over all tenants; more are refused. */
  readonly queueEventsMax: number;
  readonly queueBytesMax: number;
  /** How long a flush tries again while the store is unreachable before its callers get an error. */
  readonly patienceMs: number;
  /** How many events are sent behind a flush in progress; fewer wait for its end. */
  readonly followEventsMin?: number;
}

export interface AppendListener {
  /** Called after the commit, in order of positions for each log, before the publishers get their responses. */
  appended(topicUid: string, events: readonly StoredEvent[]): void;
  /** The log is known to reach this position, though its events were not seen. */
  advanced(topicUid: string, position: number): void;
  /** How long a flush took, including the wait behind another, and how many events were requested. */
  flushed(durationMs: number, events: number): void;
}

/**
 * A commit costs much more than an event. With 4, the lanes of a process whose code was still being compiled fell further behind: p50 of
 * publish → received in the first 15 s at 1,000 events/s was 750 ms (median of three starts), against 19 ms with one flush at a time; with
 * 16 it was 5 and 250 ms (two starts).
 */
const FOLLOW_EVENTS_MIN = 16;
/** For this long after meeting another instance, flushes of the tenant lock first, instead of finding out by a refused insert. */
const CONTENTION_MEMORY_MS = 1_000;
/** A tenant beyond them finds out once more by a refused insert. */
const CONTENTION_TENANTS_MAX = 10_000;

/**
 * Writes published events; changes of aggregates write their own (see Aggregates). Each tenant has a queue; requests that arrive while its flushes are in progress make up the next one, and
 * an idle queue is flushed at once. Tenants flush concurrently, so one tenant's load does not delay another.
 *
 * A flush plans positions from the cached ends of its logs and inserts in one statement, without a read before: the unique keys refuse
 * anything that was planned on a stale end (see Flush).
 */
export class Appender {
  private readonly queues = new Map<string, TenantQueue>();
  private readonly store: AppendStore;
  private readonly contendedUntil = boundedMap<number>(CONTENTION_TENANTS_MAX);
  private queuedEvents = 0;
  private queuedBytes = 0;
  private readonly onIdle: (() => void)[] = [];

  constructor(
    database: Database,
    private readonly clock: Clock,
    private readonly listener: AppendListener,
    private readonly options: AppenderOptions,
  ) {
    this.store = new AppendStore(database);
  }

  /** Events that wait or are being stored. */
  get depth(): number {
    return this.queuedEvents;
  }

  /** Resolves once the events are on disk. Rejects with a DomainError; then none of them is stored, unless it is `store-unavailable`. */
  append(request: AppendRequest): Promise<AppendResult> {
    const { length } = request.events;
    const bytes = request.events.reduce((sum, event) => sum + event.bytes, 0);
    const full =
      this.queuedEvents + length > this.options.queueEventsMax || this.queuedBytes + bytes > this.options.queueBytesMax;
    if (full && this.queuedEvents > 0) {
      return Promise.reject(
        logError(
          'publish-queue-full',
          'More events wait to be stored than this instance takes.',
          exhaustedLimit({ policy: 'publish-queue', quota: this.options.queueEventsMax }, 1),
        ),
      );
    }
    this.queuedEvents += length;
    this.queuedBytes += bytes;
    return new Promise((resolve, reject) => this.enqueue({ request, bytes, resolve, reject }));
  }

  /** Resolves when nothing waits or is in progress. */
  async settled(): Promise<void> {
    if (this.queuedEvents > 0) await new Promise<void>((resolve) => this.onIdle.push(resolve));
  }

  private enqueue(pending: Pending): void {
    const { tenantId } = pending.request;
    const queue = this.queues.get(tenantId) ?? this.open(tenantId);
    queue.add(pending);
    if (queue.due) return;
    queue.due = true;
    // After the sockets that are ready have been read: requests that arrived together are stored together.
    setImmediate(() => {
      queue.due = false;
      this.begin(queue);
    });
  }

  private open(tenantId: string): TenantQueue {
    const { followEventsMin = FOLLOW_EVENTS_MIN } = this.options;
    const queue = new TenantQueue(tenantId, this.store.pipeline(), followEventsMin);
    this.queues.set(tenantId, queue);
    return queue;
  }

  private begin(queue: TenantQueue): void {
    if (!queue.mayBegin) return;
    const batch = queue.take();
    const requests = batch.map(({ request }) => request);
    const lockFirst = (this.contendedUntil.get(queue.tenantId) ?? 0) > performance.now();
    const flush = new Flush(this.store, queue, requests, this.clock, lockFirst);
    const startedAt = performance.now();
    const done = this.carryOut(queue, flush, requests);
    const begun = { batch, startedAt, flush, done };
    queue.underWay.push(begun);
    void this.seeThrough(queue, begun);
  }

  /** The next flush is sent before the publishers of this one get their responses: the store works while these are written. */
  private async seeThrough(queue: TenantQueue, begun: FlushUnderWay): Promise<void> {
    const result = await begun.done;
    queue.underWay.shift();
    this.begin(queue);
    this.finish(begun, result);
    if (!queue.empty) return;
    this.queues.delete(queue.tenantId);
    if (this.queuedEvents === 0) for (const resolve of this.onIdle.splice(0)) resolve();
  }

  private finish({ batch, startedAt }: FlushUnderWay, result: Flushed): void {
    for (const [uid, rows] of result.rows) this.listener.appended(uid, rows);
    this.reportFound(batch, result);
    let events = 0;
    batch.forEach((pending, i) => {
      events += pending.request.events.length;
      this.queuedBytes -= pending.bytes;
      const outcome = result.outcomes[i]!;
      if (outcome instanceof Error) pending.reject(outcome);
      else pending.resolve(outcome);
    });
    this.queuedEvents -= events;
    this.listener.flushed(performance.now() - startedAt, events);
  }

  /** Ends after those before it. Never rejects: a failure of the flush is the outcome of each of its requests. */
  private async carryOut(queue: TenantQueue, flush: Flush, requests: readonly AppendRequest[]): Promise<Flushed> {
    const { tenantId } = queue;
    const before = queue.underWay.at(-1)?.done;
    try {
      const result = await flush.run(this.options.patienceMs);
      const now = performance.now();
      if (result.contended) this.contendedUntil.set(tenantId, now + CONTENTION_MEMORY_MS);
      else if ((this.contendedUntil.get(tenantId) ?? 0) <= now) this.contendedUntil.delete(tenantId);
      return result;
    } catch (error) {
      return { outcomes: requests.map(() => error as Error), rows: new Map() };
    } finally {
      await before;
    }
  }

  /** Events whose reply was lost are in the log, but were never passed to the listener. */
  private reportFound(batch: readonly Pending[], { outcomes, rows }: Flushed): void {
    batch.forEach(({ request: { topicUid } }, i) => {
      const outcome = outcomes[i];
      if (outcome instanceof Error || !outcome || rows.has(topicUid)) return;
      const last = Math.max(...outcome.events.map(({ position }) => position));
      this.listener.advanced(topicUid, last);
    });
  }
}
