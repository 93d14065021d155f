import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Loop } from '../../../../platform/jobs/loop.js';
import { ApiKeyStore, type KeyUse } from './ports.js';

export abstract class ApiKeyUsageOptions {
  /** How often counts are stored. A crash loses at most the counts of this interval. */
  abstract readonly flushMs: number;
}

interface Counter {
  count: number;
  lastAt: number;
  address: string;
}

/**
 * Counts the use of keys without a write per request: in memory, stored every few seconds and at shutdown in one statement. If the reply of the
 * store is lost, an interval may be counted twice.
 */
@Injectable()
export class ApiKeyUsage {
  private counters = new Map<string, Counter>();
  private storing: ReadonlyMap<string, Counter> = new Map();
  private flushing: Promise<void> | undefined;
  private readonly loop = new Loop({
    name: 'api-key-usage',
    restsFirst: true,
    every: () => this.options.flushMs,
    runOnce: () => this.flush(),
    onError: (err) => this.log.warn({ err }, 'the use of API keys was not stored; will try again'),
  });

  constructor(
    private readonly keys: ApiKeyStore,
    private readonly options: ApiKeyUsageOptions,
    private readonly log: PinoLogger,
  ) {}

  start(): void {
    this.loop.start();
  }

  /** Stores the remaining counts. */
  async close(): Promise<void> {
    await this.loop.close();
    await this.flushing?.catch(() => undefined);
    await this.flush();
  }

  /** Called on every request. */
  note(keyId: string, now: number, address: string): void {
    const counter = this.counters.get(keyId);
    if (!counter) {
      this.counters.set(keyId, { count: 1, lastAt: now, address });
      return;
    }
    counter.count++;
    counter.lastAt = now;
    counter.address = address;
  }

  /** What this process has counted and not stored yet. */
  pendingOf(keyId: string): Omit<KeyUse, 'keyId'> | undefined {
    const [stored, fresh] = [this.storing.get(keyId), this.counters.get(keyId)];
    if (!stored || !fresh) return fresh ?? stored;
    return { ...fresh, count: fresh.count + stored.count };
  }

  /** One at a time; callers during a flush wait for that one. */
  flush(): Promise<void> {
    return (this.flushing ??= this.store().finally(() => (this.flushing = undefined)));
  }

  private async store(): Promise<void> {
    if (this.counters.size === 0) return;
    const taken = this.counters;
    this.storing = taken;
    this.counters = new Map();
    try {
      await this.keys.addUse([...taken].map(([keyId, counter]) => ({ keyId, ...counter })));
    } catch (error) {
      this.putBack(taken);
      throw error;
    } finally {
      this.storing = new Map();
    }
  }

  private putBack(taken: ReadonlyMap<string, Counter>): void {
    for (const [keyId, counter] of taken) {
      const fresh = this.counters.get(keyId);
      if (fresh) fresh.count += counter.count;
      else this.counters.set(keyId, counter);
    }
  }
}
