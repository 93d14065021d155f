import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../../kernel/clock.js';
import type { SendOutcome, WebhookSender } from '../../../platform/egress/index.js';
import type { LogReader, StoredEvent, Tails, TopicTail } from '../../../platform/event-log/index.js';
import {
  checkCursor,
  currentFailure,
  delivered,
  dueAt,
  failed,
  skipEarly,
  skipGap,
  type DeliveryError,
  type LaneState,
} from '../domain/lane.js';
import type { ConsumerView } from '../../consumers/index.js';
import { Backlog } from './backlog.js';
import type { ClaimedLane, LaneKey, LaneView, RunningLane } from './ports.js';
import { PreparedRequests, type WebhookTarget } from './webhook-request.js';

const STORE_RETRY_MS = 500;
/** Within this time a stored pause reaches the lane. */
const PAUSE_MS_MAX = 5_000;
const TIMER_MS_MAX = 2 ** 31 - 1;

/** What a lane reports. */
export interface LaneReport {
  attempted(lane: LaneView, event: AttemptedEvent, outcome: CompletedAttempt, attempt: number): void;
  gapFound(lane: LaneView): void;
  /** Its retries are used up: it rests until its consumer is changed or resumed. */
  blocked(lane: LaneView): void;
  /** The endpoint says that it is gone for good (410). True: its consumer is paused. */
  endpointGone(lane: LaneView): Promise<boolean>;
  storeFailed(lane: LaneView, error: unknown): void;
  /** The request could not even be made: a fault of ours, which counts as an attempt. */
  requestFailed(lane: LaneView, error: unknown): void;
}

export type AttemptedEvent = Pick<StoredEvent, 'id' | 'position'>;
export type CompletedAttempt = Exclude<SendOutcome, { kind: 'aborted' }>;

export interface LaneTools {
  readonly report: LaneReport;
  readonly reader: LogReader;
  readonly tails: Tails;
  readonly sender: Pick<WebhookSender, 'send'>;
  readonly clock: Clock;
  /** The time that signatures cover: receivers compare it with their own clock. */
  readonly wallClock: Clock;
  readonly random: () => number;
}

/**
 * Delivers one topic to one consumer, strictly one event after another. It holds no transaction and no connection while it sends; its
 * position is stored by the next checkpoint of the engine. Only an attempt that was really made can count as failed: one that ends by
 * shutdown or because the store is away is made again as if it had never begun.
 */
export class Lane implements RunningLane {
  private readonly stopping = new AbortController();
  /** Ends the attempt under way. */
  private readonly cutOff = new AbortController();
  private running: Promise<void> | undefined;
  private tail: TopicTail | undefined;
  private backlog: Backlog | undefined;
  private sending = false;
  private readonly requests: PreparedRequests;
  /** Events that were recorded before this time are passed over. */
  private readonly notBefore: number;
  private readonly prepareNext = (): void => this.prepare();

  readonly key: LaneKey;
  private current: LaneState;

  constructor(
    private readonly claimed: ClaimedLane,
    readonly topicId: string,
    private readonly target: WebhookTarget,
    private readonly tools: LaneTools,
    /** The state must be stored with the next checkpoint. */
    private readonly changed: (lane: Lane) => void,
  ) {
    const { tenantId, consumerUid, topicUid, state } = claimed;
    this.key = { tenantId, consumerUid, topicUid };
    this.current = state;
    this.requests = new PreparedRequests(target, { topicId, topicUid });
    this.notBefore = target.consumer.topics.find((topic) => topic.topicUid === topicUid)?.notBefore ?? 0;
  }

  get consumer(): ConsumerView {
    return this.target.consumer;
  }

  get state(): LaneState {
    return this.current;
  }

  get snapshot(): ClaimedLane {
    return { ...this.claimed, state: this.current };
  }

  get inFlight(): number {
    return this.sending ? 1 : 0;
  }

  /** Events between the cursor and the end of the log; 0 before the lane has seen the log. */
  get lag(): number {
    return this.tail ? Math.max(0, this.tail.head - this.current.position) : 0;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** An attempt under way has `graceMs` to finish; after that it is cut off, and does not count. */
  async stop(graceMs: number): Promise<void> {
    this.stopping.abort();
    const timer = setTimeout(() => this.cutOff.abort(), graceMs);
    await this.running;
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.follow(signal);
      } catch (error) {
        this.tools.report.storeFailed(this, error);
        await pause(STORE_RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { tails } = this.tools;
    this.tail = await tails.follow(this.key);
    const backlog = (this.backlog = new Backlog(this.tail));
    try {
      await this.verifyPlace(this.tail);
      while (!signal.aborted) {
        const event = backlog.at(this.current.position + 1) ?? (await this.next(backlog));
        if (event === undefined) await this.tail.waitBeyond(this.current.position, signal);
        else if (event.recordedAt < this.notBefore) this.move(skipEarly(this.current, event.position));
        else await this.deliver(event, signal);
      }
    } finally {
      tails.unfollow(this.tail);
    }
  }

  private async verifyPlace(tail: TopicTail): Promise<void> {
    const { position } = this.current;
    const { tenantId, topicUid } = this.key;
    // The known head may be older than the position, if another instance has delivered until now.
    if (position > tail.head) tail.advanced((await this.tools.reader.heads(tenantId, [topicUid])).get(topicUid) ?? 0);
    const atCursor = position === 0 ? undefined : await this.tools.reader.at(this.key, position);
    this.move(checkCursor(this.current, { head: tail.head, atCursor }, this.tools.clock.now()));
  }

  private async next(backlog: Backlog): Promise<StoredEvent | undefined> {
    const position = this.current.position + 1;
    const event = await backlog.from(position);
    if (event && event.position > position) this.move(skipGap(this.current, event.position, this.tools.clock.now()));
    return event;
  }

  private async deliver(event: StoredEvent, signal: AbortSignal): Promise<void> {
    const { consumer } = this;
    const failure = currentFailure(this.current, consumer.version);
    if (failure?.blocked) return untilAborted(signal);
    if (failure) await this.waitUntil(dueAt(failure, this.tools.clock.now()), signal);
    if (signal.aborted) return;
    const attempt = (failure?.attempt ?? 0) + 1;
    const outcome = await this.send(event, attempt);
    if (outcome.kind === 'aborted') return;
    this.tools.report.attempted(this, event, outcome, attempt);
    if (outcome.kind === 'response' && outcome.status >= 200 && outcome.status < 300) {
      this.move(delivered(this.current, event.position, event.id));
      return;
    }
    const retryAfterMs = outcome.kind === 'response' ? outcome.retryAfterMs : undefined;
    const error = errorOf(outcome, this.tools.clock.now());
    this.move(
      failed(
        this.current,
        { error, retryAfterMs },
        { retry: consumer.settings.retry, version: consumer.version },
        this.tools.random,
      ),
    );
    if (error.status === 410) await this.awaitPause(signal);
  }

  /** The pause stops this lane; the lane continues by itself only if the pause fails. */
  private async awaitPause(signal: AbortSignal): Promise<void> {
    if (await this.tools.report.endpointGone(this))
      await pause(PAUSE_MS_MAX, undefined, { signal }).catch(() => undefined);
  }

  private async send(event: StoredEvent, attempt: number): Promise<SendOutcome> {
    this.sending = true;
    try {
      const request = this.requests.take(event, attempt, this.tools.wallClock.now());
      const sent = this.tools.sender.send({ ...request, signal: this.cutOff.signal });
      // The client writes to a reused socket in the check phase, before this runs.
      setImmediate(this.prepareNext);
      return await sent;
    } catch (error) {
      this.tools.report.requestFailed(this, error);
      return { kind: 'failure', phase: 'refused', error: 'the request could not be made', durationMs: 0 };
    } finally {
      this.sending = false;
    }
  }

  /** While an event is under way: prepares the next one, if it is in memory. */
  private prepare(): void {
    if (!this.sending) return;
    const next = this.backlog?.at(this.current.position + 2);
    if (next) this.requests.prepare(next, this.tools.wallClock.now());
  }

  private async waitUntil(time: number, signal: AbortSignal): Promise<void> {
    for (let rest = time - this.tools.clock.now(); rest > 0 && !signal.aborted; rest = time - this.tools.clock.now()) {
      await pause(Math.min(rest, TIMER_MS_MAX), undefined, { signal }).catch(() => undefined);
    }
  }

  private move(next: LaneState): void {
    if (next === this.current) return;
    const gapFound = next.gap !== this.current.gap;
    const { failure } = next;
    const blocked = failure?.blocked && failure !== this.current.failure;
    this.current = next;
    this.changed(this);
    if (blocked) this.tools.report.blocked(this);
    if (gapFound) this.tools.report.gapFound(this);
  }
}

function errorOf(outcome: CompletedAttempt, at: number): DeliveryError {
  if (outcome.kind === 'response') {
    return { at, phase: 'response', status: outcome.status, message: `the endpoint answered ${outcome.status}` };
  }
  return { at, phase: outcome.phase, status: null, message: outcome.error };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );
