import type { Pipeline } from '../postgres/pipeline.js';
import type { AppendPlan } from './append-plan.js';
import type { AppendRequest, AppendResult } from './event.js';
import type { Flush, FlushLine } from './flush.js';

export interface Pending {
  readonly request: AppendRequest;
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface Flushed {
  readonly outcomes: readonly (AppendResult | Error)[];
  readonly rows: AppendPlan['rows'];
}

export interface FlushUnderWay {
  readonly batch: readonly Pending[];
  readonly startedAt: number;
  readonly flush: Flush;
  readonly done: Promise<Flushed>;
}

/** One that the store works on, and the next one ready for it; ADR 1 shows what this is worth. */
const UNDER_WAY_MAX = 2;
const FLUSH_EVENTS_MAX = 2_000;
const FLUSH_BYTES_MAX = 4 * 1024 * 1024;

/** The requests of one tenant that are in no flush yet, and the flushes in progress, one behind the other. */
export class TenantQueue implements FlushLine {
  private readonly waiting: Pending[] = [];
  private waitingEvents = 0;
  /** Whether it will be looked at once the sockets that are ready have been read. */
  due = false;
  /** In the order in which they began, and end. */
  readonly underWay: FlushUnderWay[] = [];

  constructor(
    readonly tenantId: string,
    readonly pipeline: Pipeline,
    private readonly followEventsMin: number,
  ) {}

  get empty(): boolean {
    return this.waiting.length === 0 && this.underWay.length === 0;
  }

  add(pending: Pending): void {
    this.waiting.push(pending);
    this.waitingEvents += pending.request.events.length;
  }

  /** Behind another flush only if that was sent and is expected to succeed, and enough waits to be worth a commit. */
  get mayBegin(): boolean {
    const { underWay, waiting, pipeline } = this;
    if (underWay.length === 0) return waiting.length > 0;
    if (underWay.length >= UNDER_WAY_MAX || this.waitingEvents < this.followEventsMin) return false;
    return pipeline.mayFollow && underWay.every(({ flush }) => flush.mayBeFollowed);
  }

  /** Removes and returns the requests of the next flush. */
  take(): Pending[] {
    let events = 0;
    let bytes = 0;
    let count = 0;
    for (const pending of this.waiting) {
      const { length } = pending.request.events;
      bytes += pending.bytes;
      if (count > 0 && (events + length > FLUSH_EVENTS_MAX || bytes > FLUSH_BYTES_MAX)) break;
      events += length;
      count++;
    }
    this.waitingEvents -= events;
    return this.waiting.splice(0, count);
  }

  async untilAlone(flush: Flush): Promise<void> {
    const line = this.underWay.slice();
    let before = true; // also if the flush itself is only about to be appended
    for (const under of line) {
      if (under.flush === flush) before = false;
      else await (before ? under.done : under.flush.firstTry);
    }
  }
}
