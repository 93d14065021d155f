import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Loop } from '../../../platform/jobs/loop.js';
import { TopicCatalog } from './ports.js';

const SLICE = 5_000;
const IDLE_MS = 2_000;

/**
 * Removes the events of deleted topics, a slice at a time, each in a transaction of its own, so that no append or read waits for it.
 * What is left after a crash is found again in the store.
 */
@Injectable()
export class RemoveEvents {
  private readonly loop = new Loop({
    name: 'event-removal',
    every: IDLE_MS,
    runOnce: () => this.runOnce(),
    onError: (err) => this.log.warn({ err }, 'events of deleted topics could not be removed; will try again'),
  });

  constructor(
    private readonly topics: TopicCatalog,
    private readonly log: PinoLogger,
  ) {}

  start(): void {
    this.loop.start();
  }

  close(): Promise<void> {
    return this.loop.close();
  }

  /** One slice of each waiting removal; false when there was nothing to do. */
  async runOnce(): Promise<boolean> {
    const removals = await this.topics.removals(10);
    for (const removal of removals) await this.topics.removeEvents(removal, SLICE);
    return removals.length > 0;
  }
}
