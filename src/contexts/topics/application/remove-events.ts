import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { TopicCatalog } from './ports.js';

const SLICE = 5_000;
const IDLE_MS = 2_000;

/**
 * Removes the events of deleted topics, a slice at a time, each in a transaction of its own, so that no append or read waits for it.
 * What is left after a crash is found again in the store.
 */
@Injectable()
export class RemoveEvents {
  private readonly stop = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly topics: TopicCatalog,
    private readonly log: PinoLogger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  /** One slice of each waiting removal; false when there was nothing to do. */
  async runOnce(): Promise<boolean> {
    const removals = await this.topics.removals(10);
    for (const removal of removals) await this.topics.removeEvents(removal, SLICE);
    return removals.length > 0;
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      const busy = await this.runOnce().catch((error: unknown) => {
        this.log.warn({ err: error }, 'events of deleted topics could not be removed; will try again');
        return false;
      });
      if (!busy) await pause(IDLE_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
