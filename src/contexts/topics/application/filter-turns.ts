/** A piece of work that takes longer is one event under a costly filter. */
const COSTLY_MS = 25;

/**
 * Filters of all readers take turns: between two pieces of work, whoever has them, the event loop turns once, and behind a costly one it is
 * left to others for as long. Without it the pieces of many readers run one behind the other as soon as their events are there: twenty
 * filters of the costliest kind, 60 ms each, then held the process for more than a second, in which nobody's credentials could be
 * checked (503 `authorization-stale`).
 */
export class FilterTurns {
  private last: Promise<void> = Promise.resolve();

  async take<T>(work: () => T): Promise<T> {
    const before = this.last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.last = promise;
    await before;
    const begin = performance.now();
    try {
      return work();
    } finally {
      const tookMs = performance.now() - begin;
      if (tookMs > COSTLY_MS) setTimeout(resolve, tookMs);
      else setImmediate(resolve);
    }
  }
}
