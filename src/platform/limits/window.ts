import type { Clock } from '../../kernel/clock.js';
import type { LimitLeft } from '../../kernel/limit-left.js';
import { boundedMap } from './bounded-map.js';

const REMEMBERED_MAX = 100_000;

/** A period that begins with the first count, and what was counted in it. */
export class Window {
  constructor(
    private readonly since: number,
    private readonly lengthMs: number,
    public count = 0,
  ) {}

  isOver(now: number): boolean {
    return this.leftMs(now) <= 0;
  }

  leftMs(now: number): number {
    return this.since + this.lengthMs - now;
  }
}

/**
 * Counts by key in windows of one length; beyond 100,000 the one that began first is forgotten (some 15 MB). Not `rate-limiter-flexible`:
 * its memory store has no bound, and a timer for each key, while strangers choose the keys here.
 */
export class Windows {
  /** A count moves none: all have the same length, so that they are in the order in which they began. */
  private readonly open = boundedMap<Window>(REMEMBERED_MAX);

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
  ) {}

  count(key: string): number {
    return this.current(key)?.count ?? 0;
  }

  add(key: string): void {
    const window = this.current(key);
    if (window) window.count++;
    else this.open.set(key, new Window(this.clock.now(), this.lengthMs, 1));
  }

  /** One less: it should not have been counted. */
  takeBack(key: string): void {
    const window = this.current(key);
    if (window && window.count > 0) window.count--;
  }

  /** Milliseconds until the window ends; 0: there is none. */
  leftMs(key: string): number {
    return this.current(key)?.leftMs(this.clock.now()) ?? 0;
  }

  private current(key: string): Window | undefined {
    const window = this.open.peek(key);
    return window?.isOver(this.clock.now()) ? undefined : window;
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
