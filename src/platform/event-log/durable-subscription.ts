import type { Database, Statement } from '../postgres/database.js';
import type { LogRef, StoredEvent } from './event.js';
import { LogFollower } from './log-follower.js';
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

const RETRY = { minMs: 200, maxMs: 30_000 };

export interface Subscription {
  /** Names the checkpoint: never changes. */
  readonly name: string;
  readonly log: LogRef;
  /** Whether waiting events are passed together, a page at a time, instead of one by one. */
  readonly inPages: boolean;
}

/** Called with events in order, at least once: it must be idempotent. After a rejection it is called again; later events wait. */
export type EventHandler = (
  subscription: Subscription,
  events: readonly StoredEvent[],
  signal: AbortSignal,
) => Promise<void>;

/**
 * Passes on management events from the log, with a checkpoint: a crash between the event and the end of its handling repeats it. Every
 * instance follows each subscription, which idempotency makes harmless.
 */
export class DurableSubscriptions {
  private readonly followers: LogFollower[] = [];

  constructor(
    private readonly database: Database,
    private readonly tails: Tails,
    private readonly handle: EventHandler,
    private readonly onError: (subscription: string, error: unknown) => void,
  ) {}

  start(subscription: Subscription): void {
    const { name, log, inPages } = subscription;
    const follower = new LogFollower(this.tails, {
      name,
      log,
      oneByOne: !inPages,
      from: async () => (await this.database.query<{ position: number }>(READ, [name]))[0]?.position ?? 0,
      handle: async (events, signal) => {
        await this.handle(subscription, events, signal);
        await this.database.query(WRITE, [name, events.at(-1)!.position]);
      },
      backOff: RETRY,
      onError: (error) => this.onError(name, error),
    });
    this.followers.push(follower);
    follower.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.close()));
  }
}
