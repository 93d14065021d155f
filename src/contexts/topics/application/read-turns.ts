import { pageCostMs, ReadShares } from '../domain/read-share.js';

/** When work is done. */
export interface Schedule {
  nowMs(): number;
  /** In its own turn of the event loop, after at least so many milliseconds. Returns what cancels it. */
  after(delayMs: number, work: () => void): () => void;
}

interface Page {
  readonly events: readonly { readonly type: string; readonly data?: string }[];
}

/** Timers count whole milliseconds: a shorter delay waits for the next turn of the loop. */
const TIMER_MS_MIN = 1;

const LOOP: Schedule = {
  nowMs: () => performance.now(),
  after(delayMs, work) {
    if (delayMs < TIMER_MS_MIN) {
      const soon = setImmediate(work);
      return () => clearImmediate(soon);
    }
    const later = setTimeout(work, delayMs);
    return () => clearTimeout(later);
  },
};

/**
 * Filters of all readers take turns: between any two pieces of work the event loop turns once, and the share of its time that a tenant's
 * reads, and all reads together, may take is bounded. Without turns the pieces of many readers run back to back as soon as their events
 * are there: twenty of the most expensive filters, 60 ms each, blocked the process for more than a second, in which no credentials could
 * be checked (503 `authorization-stale`).
 */
export class ReadTurns {
  private readonly shares = new ReadShares<() => void>();
  private cancel: () => void = () => undefined;
  /** The last page of each tenant that has to wait for its pages. */
  private readonly pages = new Map<string, Promise<unknown>>();

  constructor(private readonly schedule: Schedule = LOOP) {}

  take<T>(tenantId: string, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const piece = (): void => {
        try {
          resolve(work());
        } catch (error) {
          reject(error as Error);
        }
      };
      this.shares.add(tenantId, piece, this.schedule.nowMs());
      this.scheduleNext();
    });
  }

  /**
   * A page from the store, at once where the tenant has not used its share; otherwise behind its other pages, one at a time, so that
   * waiting reads hold nothing in memory.
   */
  async page<T extends Page>(tenantId: string, read: () => Promise<T>): Promise<T> {
    const charged = async (): Promise<T> => {
      const page = await read();
      this.shares.charge(tenantId, this.schedule.nowMs(), pageCostMs(page.events));
      return page;
    };
    const before = this.pages.get(tenantId);
    if (!before && this.shares.mayReadNow(tenantId, this.schedule.nowMs())) return charged();
    const own = Promise.resolve(before)
      .then(() => this.take(tenantId, () => undefined))
      .then(charged);
    const ended = own.then(ignore, ignore);
    this.pages.set(tenantId, ended);
    void ended.then(() => this.pages.get(tenantId) === ended && this.pages.delete(tenantId));
    return own;
  }

  /** For the piece whose turn is next, which may have changed. */
  private scheduleNext(): void {
    this.cancel();
    const next = this.shares.next();
    if (next) this.cancel = this.schedule.after(next.atMs - this.schedule.nowMs(), () => this.work());
  }

  private work(): void {
    const { tenantId, piece } = this.shares.next()!;
    const beganMs = this.schedule.nowMs();
    piece();
    this.shares.done(tenantId, beganMs, this.schedule.nowMs() - beganMs);
    this.cancel = () => undefined;
    this.scheduleNext();
  }
}

const ignore = (): void => undefined;
