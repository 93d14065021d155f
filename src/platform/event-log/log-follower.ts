import { Loop, type LoopOptions } from '../jobs/loop.js';
import type { LogRef, StoredEvent } from './event.js';
import type { Tails } from './tails.js';
import type { TopicTail } from './topic-tail.js';

export interface LogFollowerOptions extends Pick<LoopOptions, 'name' | 'onError' | 'backOff'> {
  readonly log: LogRef;
  /** The position after which it continues, read at the start and after each failure. */
  readonly from: () => number | Promise<number>;
  /** Whether `handle` gets single events; otherwise all that have arrived, up to a page. */
  readonly oneByOne: boolean;
  /** Gets events in order. If it rejects, the log is followed again from `from`. */
  readonly handle: (events: readonly StoredEvent[], signal: AbortSignal) => Promise<void>;
}

/** Follows a log: a loop that is nudged by the tail of the log. */
export class LogFollower {
  private readonly loop: Loop;
  private readonly stop = new AbortController();
  private tail: TopicTail | undefined;
  private position = 0;
  /** Read, but not handled yet. */
  private unread: readonly StoredEvent[] = [];

  constructor(
    private readonly tails: Tails,
    private readonly options: LogFollowerOptions,
  ) {
    const { name, onError, backOff } = options;
    this.loop = new Loop({ name, every: Infinity, runOnce: (signal) => this.readOn(signal), onError, backOff });
  }

  start(): void {
    this.loop.start();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.loop.close();
    this.leave();
  }

  private async readOn(signal: AbortSignal): Promise<boolean> {
    try {
      const tail = (this.tail ??= await this.enter());
      if (this.unread.length === 0) this.unread = await tail.read(this.position);
      if (this.unread.length > 0) await this.take(this.options.oneByOne ? 1 : Infinity, signal);
      if (tail.head > this.position) return true;
      void tail.waitBeyond(this.position, this.stop.signal).then(() => this.loop.nudge());
      return false;
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  private async take(count: number, signal: AbortSignal): Promise<void> {
    const events = this.unread.slice(0, count);
    await this.options.handle(events, signal);
    this.position = events.at(-1)!.position;
    this.unread = this.unread.slice(count);
  }

  private async enter(): Promise<TopicTail> {
    this.position = await this.options.from();
    return this.tails.follow(this.options.log);
  }

  private leave(): void {
    if (this.tail) this.tails.unfollow(this.tail);
    this.tail = undefined;
    this.unread = [];
  }
}
