import { pageCostMs, ReadShares } from '../domain/read-share.js';

/** When work is done. */
export interface Schedule {
  nowMs(): number;
  /** In a turn of the loop of its own, not before so many milliseconds are over. Answers how to call it off. */
  after(delayMs: number, work: () => void): () => void;
}

interface Page {
  readonly events: readonly { readonly type: string; readonly data?: string }[];
}

/** Timers count whole milliseconds: what is to wait for less waits for the next turn of the loop. */
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
 * Filters of all readers take turns: between two pieces of work, whoever has them, the event loop turns once, and how much of it a tenant's
 * reads and all reads together may take is bounded. Without it the pieces of many readers run one behind the other as soon as their
 * events are there: twenty filters of the costliest kind, 60 ms each, then held the process for more than a second, in which nobody's
 * credentials could be checked (503 `authorization-stale`).
 */
export class ReadTurns {
  private readonly shares = new ReadShares<() => void>();
  private callOff: () => void = () => undefined;
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
      this.await();
    });
  }

  /**
   * A page from the store, at once where the tenant has not had its share; otherwise behind its other pages, one at a time, so that those
   * who wait hold nothing in memory.
   */
  async page<T extends Page>(tenantId: string, read: () => Promise<T>): Promise<T> {
    const charged = async (): Promise<T> => {
      const page = await read();
      this.shares.charge(tenantId, this.schedule.nowMs(), pageCostMs(page.events));
      return page;
    };
    const before = this.pages.get(tenantId);
    if (!before && this.shares.isEven(tenantId, this.schedule.nowMs())) return charged();
    const own = Promise.resolve(before)
      .then(() => this.take(tenantId, () => undefined))
      .then(charged);
    const ended = own.then(ignore, ignore);
    this.pages.set(tenantId, ended);
    void ended.then(() => this.pages.get(tenantId) === ended && this.pages.delete(tenantId));
    return own;
  }

  /** For the one whose turn is next, which may be another one than a moment ago. */
  private await(): void {
    this.callOff();
    const next = this.shares.next();
    if (next) this.callOff = this.schedule.after(next.atMs - this.schedule.nowMs(), () => this.work());
  }

  private work(): void {
    const { tenantId, piece } = this.shares.next()!;
    const beganMs = this.schedule.nowMs();
    piece();
    this.shares.done(tenantId, beganMs, this.schedule.nowMs() - beganMs);
    this.callOff = () => undefined;
    this.await();
  }
}

const ignore = (): void => undefined;
