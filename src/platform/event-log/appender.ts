import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../postgres/database.js';
import { AppendStore } from './append-store.js';
import type { AppendRequest, AppendResult, StoredEvent } from './event.js';
import { Flush } from './flush.js';
import type { AppendPlan } from './append-plan.js';
import { logError } from './log-errors.js';

export interface AppenderOptions {
  /** Events and bytes that may wait for a flush, over all tenants; what comes beyond is refused. */
  readonly queueEventsMax: number;
  readonly queueBytesMax: number;
  /** How long a flush tries again while the store is away before its callers are told. */
  readonly patienceMs: number;
}

export interface AppendListener {
  /** Called after the commit, in order of positions for each log, before the publishers get their answers. */
  appended(topicUid: string, events: readonly StoredEvent[]): void;
  /** The log is known to reach this position, though its events were not seen. */
  advanced(topicUid: string, position: number): void;
  /** How long a flush took and how many events were asked for. */
  flushed(durationMs: number, events: number): void;
}

interface Pending {
  readonly request: AppendRequest;
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

interface TenantQueue {
  readonly tenantId: string;
  waiting: Pending[];
}

interface Flushed {
  readonly outcomes: readonly (AppendResult | Error)[];
  readonly rows: AppendPlan['rows'];
}

interface FlushUnderWay {
  readonly batch: readonly Pending[];
  readonly startedAt: number;
  readonly result: Promise<Flushed>;
}

const FLUSH_EVENTS_MAX = 2_000;
const FLUSH_BYTES_MAX = 4 * 1024 * 1024;
/** After another instance was met, flushes of the tenant lock first for so long, instead of finding out by a refused insert. */
const CONTENTION_MEMORY_MS = 1_000;

/**
 * The one writer of an instance. Each tenant has a queue and at most one flush under way: what arrives during a flush makes up the
 * next one, and an idle queue is flushed at once. Tenants flush side by side, so that one tenant's load does not delay another.
 *
 * A flush plans positions from the cached ends of its logs and inserts in one statement, without a read before: the unique keys refuse
 * anything that was planned on a stale end (see Flush).
 */
export class Appender {
  private readonly queues = new Map<string, TenantQueue>();
  private readonly store: AppendStore;
  private readonly contendedUntil = new Map<string, number>();
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
        logError('publish-queue-full', 'More events wait to be stored than this instance takes.', {
          retryAfterSeconds: 1,
        }),
      );
    }
    this.queuedEvents += length;
    this.queuedBytes += bytes;
    return new Promise((resolve, reject) => this.enqueue({ request, bytes, resolve, reject }));
  }

  /** Resolves when nothing waits or is under way. */
  async settled(): Promise<void> {
    if (this.queuedEvents > 0) await new Promise<void>((resolve) => this.onIdle.push(resolve));
  }

  private enqueue(pending: Pending): void {
    const { tenantId } = pending.request;
    const queue = this.queues.get(tenantId);
    if (queue) {
      queue.waiting.push(pending);
      return;
    }
    const started: TenantQueue = { tenantId, waiting: [pending] };
    this.queues.set(tenantId, started);
    // After the sockets that are ready have been read: what came together is stored together.
    setImmediate(() => void this.drain(started));
  }

  /** Each flush is on its way before the publishers of the last one are answered: the store works while the answers are written. */
  private async drain(queue: TenantQueue): Promise<void> {
    let under = this.begin(queue);
    while (under) {
      const result = await under.result;
      const next = this.begin(queue);
      this.finish(under, result);
      under = next;
    }
    this.queues.delete(queue.tenantId);
    if (this.queuedEvents === 0) for (const resolve of this.onIdle.splice(0)) resolve();
  }

  private begin(queue: TenantQueue): FlushUnderWay | undefined {
    if (queue.waiting.length === 0) return undefined;
    const batch = takeBatch(queue);
    return { batch, startedAt: performance.now(), result: this.flush(queue.tenantId, batch) };
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

  /** Never rejects: what fails the flush is the outcome of each of its requests. */
  private async flush(tenantId: string, batch: readonly Pending[]): Promise<Flushed> {
    const requests = batch.map(({ request }) => request);
    const lockFirst = (this.contendedUntil.get(tenantId) ?? 0) > performance.now();
    try {
      const result = await new Flush(this.store, tenantId, requests, this.clock, lockFirst).run(
        this.options.patienceMs,
      );
      if (result.contended) this.contendedUntil.set(tenantId, performance.now() + CONTENTION_MEMORY_MS);
      else if (!lockFirst) this.contendedUntil.delete(tenantId);
      return result;
    } catch (error) {
      return { outcomes: batch.map(() => error as Error), rows: new Map() };
    }
  }

  /** Events that a lost reply hid from us are in the log, but were never handed to the listener. */
  private reportFound(batch: readonly Pending[], { outcomes, rows }: Flushed): void {
    batch.forEach(({ request: { topicUid } }, i) => {
      const outcome = outcomes[i];
      if (outcome instanceof Error || !outcome || rows.has(topicUid)) return;
      const last = Math.max(...outcome.events.map(({ position }) => position));
      this.listener.advanced(topicUid, last);
    });
  }
}

function takeBatch(queue: TenantQueue): Pending[] {
  let events = 0;
  let bytes = 0;
  let count = 0;
  for (const pending of queue.waiting) {
    events += pending.request.events.length;
    bytes += pending.bytes;
    if (count > 0 && (events > FLUSH_EVENTS_MAX || bytes > FLUSH_BYTES_MAX)) break;
    count++;
  }
  return queue.waiting.splice(0, count);
}
