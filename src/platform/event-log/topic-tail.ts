import type { LogRef, StoredEvent } from './event.js';
import type { LogReader } from './log-reader.js';

const RING_EVENTS_MAX = 4_096;
const RING_BYTES_MAX = 8 * 1024 * 1024;
const READ_EVENTS_MAX = 512;
const FIXED_BYTES = 256; // of an event besides its data

/** About what an event takes in memory. */
export const bytesInMemory = ({ data }: StoredEvent): number => data.length + FIXED_BYTES;

/**
 * The end of one log, shared by all its followers in this process: the newest events in memory (the ring, positions dense), older ones by
 * pages from the store, one read for all concurrent callers of a page.
 */
export class TopicTail {
  private ring: StoredEvent[] = [];
  private ringBytes = 0;
  private lastPosition = 0;
  private readonly pages = new Map<number, Promise<StoredEvent[]>>();
  private waiters: (() => void)[] = [];
  followers = 0;

  constructor(
    readonly log: LogRef,
    private readonly reader: LogReader,
    /** Bytes in the rings of all tails; this one adds its own and drops its ring when the budget is spent. */
    private readonly memory: { bytes: number; readonly bytesMax: number },
  ) {}

  /** The last position known to be committed. */
  get head(): number {
    return this.lastPosition;
  }

  /** Committed here, in order. */
  appended(events: readonly StoredEvent[]): void {
    const first = events[0]!;
    if (this.ring.length > 0 && this.ring[this.ring.length - 1]!.position + 1 !== first.position) this.drop();
    for (const event of events) {
      this.ring.push(event);
      this.grow(bytesInMemory(event));
    }
    this.trim();
    this.advanced(events[events.length - 1]!.position);
  }

  /** Committed elsewhere: only the position is known. */
  advanced(position: number): void {
    if (position <= this.lastPosition) return;
    this.lastPosition = position;
    const waiters = this.waiters;
    this.waiters = [];
    for (const wake of waiters) wake();
  }

  /** The log is shorter than known: a backup was restored. */
  rewound(position: number): void {
    this.drop();
    this.lastPosition = position;
  }

  /** The event at a position if it is in memory: the steady state of a follower that keeps up. */
  inMemory(position: number): StoredEvent | undefined {
    const first = this.ring[0];
    return first === undefined ? undefined : this.ring[position - first.position];
  }

  /**
   * Events after a position, in order: at least one unless the position is the end. The ring may end before the log does, if another
   * instance has appended; a follower that got neither an event nor a wait there would spin forever.
   */
  read(after: number): Promise<StoredEvent[]> {
    if (after >= this.lastPosition) return Promise.resolve([]);
    const from = after + 1 - (this.ring[0]?.position ?? 0);
    if (from >= 0 && from < this.ring.length) return Promise.resolve(this.ring.slice(from, from + READ_EVENTS_MAX));
    let page = this.pages.get(after);
    if (!page) {
      page = this.readPage(after).finally(() => this.pages.delete(after));
      this.pages.set(after, page);
    }
    return page;
  }

  /** Nothing where something was known to be: the log was deleted or restored, and its followers must wait rather than ask forever. */
  private async readPage(after: number): Promise<StoredEvent[]> {
    const events = await this.reader.follow(this.log, after, READ_EVENTS_MAX);
    if (events.length === 0 && after < this.lastPosition) this.rewound(after);
    return events;
  }

  /** Resolves when something comes after the position, or when the signal fires. */
  waitBeyond(after: number, signal: AbortSignal): Promise<void> {
    if (this.lastPosition > after || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.waiters = this.waiters.filter((waiter) => waiter !== wake);
        resolve();
      };
      this.waiters.push(wake);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Frees the memory of the ring. */
  drop(): void {
    this.memory.bytes -= this.ringBytes;
    this.ring = [];
    this.ringBytes = 0;
  }

  private grow(bytes: number): void {
    this.ringBytes += bytes;
    this.memory.bytes += bytes;
  }

  /** Drops the older half, so that the cost of moving the rest is spread over many appends. */
  private trim(): void {
    if (this.memory.bytes > this.memory.bytesMax && this.ring.length > RING_EVENTS_MAX / 64) this.drop();
    while (this.ring.length > RING_EVENTS_MAX || (this.ringBytes > RING_BYTES_MAX && this.ring.length > 1)) {
      const removed = this.ring.splice(0, Math.ceil(this.ring.length / 2));
      this.grow(-removed.reduce((sum, event) => sum + bytesInMemory(event), 0));
    }
  }
}
