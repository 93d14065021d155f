import { Loop } from '../jobs/loop.js';
import type { AppendListener } from './appender.js';
import type { LogRef, StoredEvent } from './event.js';
import type { Hints } from './hints.js';
import type { LogReader } from './log-reader.js';
import { TopicTail } from './topic-tail.js';

export interface TailsOptions {
  /** Memory for the newest events of followed topics, all together. */
  readonly cacheBytesMax: number;
  /** How often the ends of followed topics are looked up in case a hint was lost. */
  readonly pollMs: number;
  readonly onError: (error: unknown) => void;
  readonly onFlush: (durationMs: number, events: number) => void;
}

/** A follower of topics elsewhere in this process. */
export interface TailListener extends Pick<AppendListener, 'appended' | 'advanced'> {
  /** It must look for itself: hints may have been lost. */
  onGap(): void;
}

/**
 * The tails of all topics that are followed in this process. They learn of new events at once from the appender of this process and by
 * hints from other instances; a poll covers lost hints.
 */
export class Tails implements AppendListener {
  private readonly tails = new Map<string, TopicTail>();
  private readonly memory: { bytes: number; readonly bytesMax: number };
  private readonly polling: Loop;
  private echo: TailListener | undefined;

  constructor(
    private readonly reader: LogReader,
    /** Undefined: others report what is appended elsewhere, by `appended` and `advanced`. */
    private readonly hints: Hints | undefined,
    private readonly options: TailsOptions,
  ) {
    this.memory = { bytes: 0, bytesMax: options.cacheBytesMax };
    this.polling = new Loop({
      name: 'tails',
      restsFirst: true,
      every: options.pollMs,
      runOnce: () => this.poll(),
      onError: options.onError,
    });
    this.polling.start();
    hints?.onHint((topicUid, position) => {
      this.tails.get(topicUid)?.advanced(position);
      this.echo?.advanced(topicUid, position);
    });
    hints?.onGap(() => {
      this.lookSoon();
      this.echo?.onGap();
    });
  }

  get pollMs(): number {
    return this.options.pollMs;
  }

  /** Follows a log; the tail knows the log's end when this resolves. Each follower must unfollow once. */
  async follow(log: LogRef): Promise<TopicTail> {
    let tail = this.tails.get(log.topicUid);
    if (!tail) {
      tail = new TopicTail(log, this.reader, this.memory);
      this.tails.set(log.topicUid, tail);
    }
    tail.followers++;
    if (tail.head === 0) {
      try {
        tail.advanced((await this.reader.heads(log.tenantId, [log.topicUid])).get(log.topicUid) ?? 0);
      } catch (error) {
        this.unfollow(tail);
        throw error;
      }
    }
    return tail;
  }

  unfollow(tail: TopicTail): void {
    if (--tail.followers > 0) return;
    tail.drop();
    if (this.tails.get(tail.log.topicUid) === tail) this.tails.delete(tail.log.topicUid);
  }

  /** The echo is notified at once of everything reported here; what only a poll finds it must find by itself. */
  forwardTo(echo: TailListener): void {
    this.echo = echo;
  }

  appended(topicUid: string, events: readonly StoredEvent[]): void {
    this.tails.get(topicUid)?.appended(events);
    this.echo?.appended(topicUid, events);
    this.hints?.send(topicUid, events[events.length - 1]!.position);
  }

  advanced(topicUid: string, position: number): void {
    this.tails.get(topicUid)?.advanced(position);
    this.echo?.advanced(topicUid, position);
    this.hints?.send(topicUid, position);
  }

  flushed(durationMs: number, events: number): void {
    this.options.onFlush(durationMs, events);
  }

  /** Notifications may be incomplete: the ends are looked up at once. */
  lookSoon(): void {
    this.polling.nudge();
  }

  async close(): Promise<void> {
    await this.polling.close();
  }

  /** Looks up the ends of all followed topics, one statement per tenant. */
  async poll(): Promise<void> {
    const byTenant = Map.groupBy(this.tails.values(), ({ log }) => log.tenantId);
    for (const [tenantId, tails] of byTenant) {
      const heads = await this.reader.heads(
        tenantId,
        tails.map(({ log }) => log.topicUid),
      );
      for (const tail of tails) tail.advanced(heads.get(tail.log.topicUid) ?? 0);
    }
  }
}
