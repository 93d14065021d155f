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

export interface Reaction {
  /** Names the checkpoint: never changes. */
  readonly name: string;
  readonly log: LogRef;
  /** Called for each event in order, at least once: it must be idempotent. A rejection is tried again, later events wait. */
  handle(event: StoredEvent, signal: AbortSignal): Promise<void>;
}

/**
 * Runs reactions to management events from the log, with a checkpoint: a crash between event and reaction repeats the reaction. Every
 * instance runs each reaction, which idempotency makes harmless.
 */
export class DurableSubscriptions {
  private readonly stop = new AbortController();
  private readonly running: Promise<void>[] = [];

  constructor(
    private readonly database: Database,
    private readonly tails: Tails,
    private readonly onError: (reaction: string, error: unknown) => void,
  ) {}

  start(reaction: Reaction): void {
    this.running.push(this.run(reaction));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.running);
  }

  private async run(reaction: Reaction): Promise<void> {
    const { signal } = this.stop;
    for (let delay = RETRY_MS_MIN; !signal.aborted; delay = Math.min(delay * 2, RETRY_MS_MAX)) {
      try {
        await this.followFromCheckpoint(reaction, () => (delay = RETRY_MS_MIN));
      } catch (error) {
        if (signal.aborted) return;
        this.onError(reaction.name, error);
        await pause(delay, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  private async followFromCheckpoint(reaction: Reaction, progressed: () => void): Promise<void> {
    const { name, log } = reaction;
    const { signal } = this.stop;
    const [row] = await this.database.query<{ position: number }>(READ, [name]);
    let position = row?.position ?? 0;
    const tail = await this.tails.follow(log);
    try {
      while (!signal.aborted) {
        for (const event of await tail.read(position)) {
          if (signal.aborted) return;
          await reaction.handle(event, signal);
          position = event.position;
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
