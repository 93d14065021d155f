/** The time, injected so that tests own it. There are two: see docs/adr/0008-two-clocks.md. */
export abstract class Clock {
  /** Milliseconds since the epoch, UTC. */
  abstract now(): number;
}

/**
 * The system's time, which never goes back while the process lives: where the system clock is set back, time goes on from where it was,
 * as fast as ever. What has ended stays ended (keys, sessions, grants), and what waits for a time (buckets, retries, refused guesses)
 * waits no longer than it should. Set forward, the clock is followed at once.
 *
 * Not slewed towards a clock that is behind, as NTP would: then everything that ends would live longer than it may. A clock that was
 * wrongly ahead and is put right needs a restart of the process, which begins with the system clock as it is. What others compare with their
 * own clocks takes no such time, but `WallClock`.
 */
export class SystemClock extends Clock {
  private wallMs = Date.now();
  private steadyMs = performance.now();

  now(): number {
    // In this order: a pause in between makes our time late, which the next call makes good, and not early, which nothing would.
    const wallMs = Date.now();
    const steadyMs = performance.now();
    const expectedMs = this.wallMs + steadyMs - this.steadyMs;
    if (wallMs < expectedMs) return Math.floor(expectedMs);
    this.wallMs = wallMs;
    this.steadyMs = steadyMs;
    return wallMs;
  }

  /** By how much the system clock is behind. */
  setBackMs(): number {
    return Math.max(0, this.now() - Date.now());
  }
}

/**
 * The system's time as it is, also where that goes back: for what others compare with their own clocks, and nothing else. Nothing that
 * ends, waits or is in order may go by it.
 */
export class WallClock extends Clock {
  now(): number {
    return Date.now();
  }
}

/** What is left of a wait that began at `sinceMs`; all of it where that lies ahead, told by a clock that was wrong and is right by now. */
export const waitAfter = (sinceMs: number, waitMs: number, nowMs: number): number =>
  Math.min(waitMs, Math.max(0, sinceMs + waitMs - nowMs));
