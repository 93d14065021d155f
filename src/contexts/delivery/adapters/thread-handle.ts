import { Worker } from 'node:worker_threads';
import { bytesInMemory, type StoredEvent, type TailListener } from '../../../platform/event-log/index.js';
import type { LaneState } from '../domain/lane.js';
import type { LaneReport } from '../application/lane.js';
import type { LaneFigures, LaneView } from '../application/ports.js';
import {
  fromPortableError,
  type ThreadMessage,
  type LaneNews,
  type ThreadSetup,
  type ThreadCommand,
} from './lane-messages.js';
import type { LaneHost, RemoteLane } from './remote-lane.js';

const ENTRY = new URL('./lane-thread-entry.js', import.meta.url);
/** In one flush. Larger batches stay in the log until lanes reach them, and are read in pages. */
const ECHO_EVENTS_MAX = 256;
/** Handed over and not received yet. */
const ECHO_BYTES_MAX = 8 * 1024 * 1024;
/** A thread that does not reply for this long, beyond the granted time, is considered dead. Its start may take part of it. */
const SILENCE_MS_MAX = 30_000;
const CLOSE_MS_MAX = 5_000;
const FIGURES_MS_MAX = 1_000;

export interface ThreadReport extends LaneReport {
  /** Something in a thread failed that concerns no single lane. */
  engineFailed(error: unknown, what: string): void;
}

type Figures = ReadonlyMap<number, LaneFigures>;

/**
 * One delivery thread, as the main thread sees it. If it fails or no longer replies, an uncaught error ends the process; what was under way
 * is delivered again by the next process.
 */
export class ThreadHandle implements TailListener, LaneHost {
  private readonly worker: Worker;
  private readonly exited = Promise.withResolvers<void>();
  private readonly lanes = new Map<number, RemoteLane>();
  /** Number of lanes here, by topic. */
  private readonly followed = new Map<string, number>();
  private readonly asking = new Set<(figures: Figures) => void>();
  private known: Figures = new Map();
  private untakenBytes = 0;
  private silence: NodeJS.Timeout | undefined;
  private closing = false;
  private failure: { readonly cause: unknown } | undefined;

  constructor(
    setup: ThreadSetup,
    private readonly report: ThreadReport,
    private readonly onLapse: () => void,
  ) {
    this.worker = new Worker(ENTRY, { workerData: setup, name: 'delivery' });
    this.worker.on('message', (message: ThreadMessage) => this.take(message));
    // Thrown on exit only: an error thrown here, while Node empties the channel of a dead thread, would be lost.
    this.worker.on('error', (cause) => (this.failure = { cause }));
    this.worker.on('exit', (code) => {
      clearTimeout(this.silence);
      if (this.failure || !this.closing) throw new Error(`A delivery thread ended by itself (${code}).`, this.failure);
      this.exited.resolve();
    });
  }

  get load(): number {
    return this.lanes.size;
  }

  start(lane: RemoteLane): void {
    const { number, order } = lane;
    const { topicUid } = lane.key;
    this.lanes.set(number, lane);
    this.followed.set(topicUid, (this.followed.get(topicUid) ?? 0) + 1);
    this.post({ kind: 'start', lane: number, order });
  }

  stop({ number }: RemoteLane, graceMs: number): void {
    this.post({ kind: 'stop', lane: number, graceMs });
    this.expectAnswer(graceMs);
  }

  renewLease(untilMs: number): void {
    this.post({ kind: 'held', untilMs });
    this.expectAnswer(0);
  }

  appended(topicUid: string, events: readonly StoredEvent[]): void {
    if (!this.followed.has(topicUid)) return;
    const bytes = events.reduce((sum, event) => sum + bytesInMemory(event), 0);
    if (events.length > ECHO_EVENTS_MAX || this.untakenBytes + bytes > ECHO_BYTES_MAX)
      return this.advanced(topicUid, events.at(-1)!.position);
    this.untakenBytes += bytes;
    this.post({ kind: 'appended', topicUid, events, bytes });
  }

  advanced(topicUid: string, position: number): void {
    if (this.followed.has(topicUid)) this.post({ kind: 'advanced', topicUid, position });
  }

  onGap(): void {
    this.post({ kind: 'missed' });
  }

  /** The last known figures, if the thread takes too long. */
  async figures(): Promise<Figures> {
    if (this.closing) return this.known;
    const answer = Promise.withResolvers<Figures>();
    this.asking.add(answer.resolve);
    if (this.asking.size === 1) this.post({ kind: 'figures' });
    const timer = setTimeout(() => answer.resolve(this.known), FIGURES_MS_MAX);
    return answer.promise.finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    this.closing = true;
    this.post({ kind: 'close' });
    const timer = setTimeout(() => void this.worker.terminate(), CLOSE_MS_MAX);
    await this.exited.promise;
    clearTimeout(timer);
  }

  private post(message: ThreadCommand): void {
    this.worker.postMessage(message);
  }

  /** Any message counts as a reply. One second is added, in which this thread reads what arrived while it was blocked itself. */
  private expectAnswer(grantedMs: number): void {
    const giveUp = (): never => {
      throw new Error('A delivery thread does not answer any more.');
    };
    this.silence ??= setTimeout(() => (this.silence = setTimeout(giveUp, 1_000)), grantedMs + SILENCE_MS_MAX);
  }

  private take(message: ThreadMessage): void {
    clearTimeout(this.silence);
    this.silence = undefined;
    switch (message.kind) {
      case 'news':
        this.untakenBytes -= message.taken;
        for (const [number, state] of message.moved) this.lanes.get(number)?.move(state);
        for (const [number, news] of message.news) this.dispatch(this.lanes.get(number), news);
        return;
      case 'stopped':
        return this.ended(this.lanes.get(message.lane), message.state);
      case 'figures':
        this.known = message.figures;
        for (const answer of this.asking) answer(message.figures);
        return this.asking.clear();
      case 'here':
        return;
      case 'lapsed':
        return this.onLapse();
      case 'warning':
        return this.report.engineFailed(fromPortableError(message.error), message.what);
    }
  }

  private dispatch(lane: RemoteLane | undefined, news: LaneNews): void {
    if (!lane) return;
    switch (news.kind) {
      case 'attempted':
        return this.report.attempted(lane, news.event, news.outcome, news.attempt);
      case 'gap-found':
        return this.report.gapFound(at(lane, news.state));
      case 'blocked':
        return this.report.blocked(at(lane, news.state));
      case 'store-failed':
        return this.report.storeFailed(lane, fromPortableError(news.error));
      case 'request-failed':
        return this.report.requestFailed(lane, fromPortableError(news.error));
      case 'gone':
        return void this.report
          .endpointGone(lane)
          .then((done) => this.post({ kind: 'paused', lane: lane.number, done }));
    }
  }

  private ended(lane: RemoteLane | undefined, state: LaneState): void {
    if (!lane) return;
    const { topicUid } = lane.key;
    const left = this.followed.get(topicUid)! - 1;
    if (left > 0) this.followed.set(topicUid, left);
    else this.followed.delete(topicUid);
    this.lanes.delete(lane.number);
    lane.end(state);
  }
}

const at = ({ key, topicId, consumer }: LaneView, state: LaneState): LaneView => ({ key, topicId, consumer, state });
