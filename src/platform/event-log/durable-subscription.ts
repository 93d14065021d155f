import { setTimeout as pause } from 'node:timers/promises';
import type { Database, Statement } from '../postgres/database.js';
import type { LogRef, StoredEvent } from './event.js';
import type { Tails } from './tails.js';

const READ: Statement = {
  name: 'read-subscription',
  text: 'SELECT position FROM subscription_checkpoint WHERE subscription = $1',
};
const WRITE: Statement = {
  name: 'write-subscription',
  text: `
INSERT INTO subscription_checkpoint (subscription, position) VALUES ($1, $2)
ON CONFLICT (subscription) DO UPDATE SET position = greatest(subscription_checkpoint.position, excluded.position)`,
};

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 30_000;

export interface Subscription {
  /** Names the checkpoint: never changes. */
  readonly name: string;
  readonly log: LogRef;
  /** Whether what piles up meanwhile is handed over together, a page at a time, instead of event by event. */
  readonly inPages: boolean;
}

/** Called with events in order, at least once: it must be idempotent. A rejection is tried again, later events wait. */
export type EventHandler = (
  subscription: Subscription,
  events: readonly StoredEvent[],
  signal: AbortSignal,
) => Promise<void>;

/**
 * Hands over management events from the log, with a checkpoint: a crash between the event and the end of its handling repeats it. Every
 * instance follows each subscription, which idempotency makes harmless.
 */
export class DurableSubscriptions {
  private readonly stop = new AbortController();
  private readonly running: Promise<void>[] = [];

  constructor(
    private readonly database: Database,
    private readonly tails: Tails,
    private readonly handle: EventHandler,
    private readonly onError: (subscription: string, error: unknown) => void,
  ) {}

  start(subscription: Subscription): void {
    this.running.push(this.run(subscription));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.running);
  }

  private async run(subscription: Subscription): Promise<void> {
    const { signal } = this.stop;
    for (let delay = RETRY_MS_MIN; !signal.aborted; delay = Math.min(delay * 2, RETRY_MS_MAX)) {
      try {
        await this.followFromCheckpoint(subscription, () => (delay = RETRY_MS_MIN));
      } catch (error) {
        if (signal.aborted) return;
        this.onError(subscription.name, error);
        await pause(delay, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  private async followFromCheckpoint(subscription: Subscription, progressed: () => void): Promise<void> {
    const { name, log, inPages } = subscription;
    const { signal } = this.stop;
    const [row] = await this.database.query<{ position: number }>(READ, [name]);
    let position = row?.position ?? 0;
    const tail = await this.tails.follow(log);
    try {
      while (!signal.aborted) {
        const page = await tail.read(position);
        for (const events of inPages ? [page] : page.map((event) => [event])) {
          if (signal.aborted || events.length === 0) break;
          await this.handle(subscription, events, signal);
          position = events.at(-1)!.position;
          await this.database.query(WRITE, [name, position]);
          progressed();
        }
        await tail.waitBeyond(position, signal);
      }
    } finally {
      this.tails.unfollow(tail);
    }
  }
}
