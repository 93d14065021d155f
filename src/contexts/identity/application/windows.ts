import type { Clock } from '../../../kernel/clock.js';
import type { LimitLeft } from '../../../kernel/limit-left.js';

const REMEMBERED_MAX = 100_000;

interface Window {
  readonly since: number;
  count: number;
}

/**
 * Counts by key in windows of one length, each begun by its first count; beyond 100,000 the oldest window is forgotten (some 15 MB).
 * Not `rate-limiter-flexible`: its memory store has no bound, and a timer for each key, while strangers choose the keys here.
 */
export class Windows {
  /** The oldest first: all windows have the same length. */
  private readonly open = new Map<string, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {}

  count(key: string): number {
    return this.current(key)?.count ?? 0;
  }

  add(key: string): void {
    const window = this.current(key);
    if (window) {
      window.count++;
      return;
    }
    this.open.delete(key);
    this.open.set(key, { since: this.clock.now(), count: 1 });
    if (this.open.size > REMEMBERED_MAX) this.open.delete(this.open.keys().next().value!);
  }

  /** One less: it was not to be counted after all. */
  takeBack(key: string): void {
    const window = this.current(key);
    if (window && window.count > 0) window.count--;
  }

  /** Milliseconds until the window ends; 0: there is none. */
  leftMs(key: string): number {
    const window = this.current(key);
    return window ? window.since + this.lengthMs - this.clock.now() : 0;
  }

  private current(key: string): Window | undefined {
    const window = this.open.get(key);
    return window && this.clock.now() - window.since < this.lengthMs ? window : undefined;
  }
}

/** Of a limit that is counted in windows. */
export const leftOf = (
  limit: { readonly policy: string; readonly quota: number; readonly windowSeconds: number },
  windows: Windows,
  key: string,
): LimitLeft => ({
  ...limit,
  remaining: limit.quota - windows.count(key),
  resetSeconds: windows.leftMs(key) / 1_000,
});
