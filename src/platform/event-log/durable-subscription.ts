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

interface Subscriber {
  /** Names the checkpoint: never changes. */
  readonly name: string;
  readonly log: LogRef;
}

export interface Reaction extends Subscriber {
  /** Called for each event in order, at least once: it must be idempotent. A rejection is tried again, later events wait. */
  handle(event: StoredEvent, signal: AbortSignal): Promise<void>;
}

/** To what came of several events together: what piles up during one call is one call, however many they are. */
export interface PageReaction extends Subscriber {
  /** The same promises, for the events of a page. */
  handleAll(events: readonly StoredEvent[], signal: AbortSignal): Promise<void>;
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

  start(reaction: Reaction | PageReaction): void {
    this.running.push(this.run(reaction));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.running);
  }

  private async run(reaction: Reaction | PageReaction): Promise<void> {
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

  private async followFromCheckpoint(reaction: Reaction | PageReaction, progressed: () => void): Promise<void> {
    const { name, log } = reaction;
    const { signal } = this.stop;
    const [row] = await this.database.query<{ position: number }>(READ, [name]);
    let position = row?.position ?? 0;
    const tail = await this.tails.follow(log);
    try {
      while (!signal.aborted) {
        const page = await tail.read(position);
        for (const events of 'handleAll' in reaction ? [page] : page.map((event) => [event])) {
          if (signal.aborted || events.length === 0) break;
          await ('handleAll' in reaction ? reaction.handleAll(events, signal) : reaction.handle(events[0]!, signal));
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
