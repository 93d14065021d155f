/** The time, injected so that tests own it. There are two: see docs/adr/0008-two-clocks.md. */
export abstract class Clock {
  /** Milliseconds since the epoch, UTC. */
  abstract now(): number;
}

/**
 * The time of the system, which never goes back while the process lives. If the system clock is set back, time continues from where it was, at
 * the same speed. So what has ended stays ended (keys, sessions, grants), and what waits for a time (buckets, retries, refused guesses) does not
 * wait longer than it should. If the clock is set forward, it is followed at once.
 *
 * Not slewed towards a clock that is behind, as NTP does: then everything with an end would live longer than it may. After a clock that was
 * wrongly ahead is corrected, the process must be restarted to begin with the system clock as it is. Times that others compare with their own
 * clocks come from `WallClock`.
 */
export class SystemClock extends Clock {
  private wallMs = Date.now();
  private steadyMs = performance.now();

  now(): number {
    // In this order: a pause in between makes our time late, which the next call corrects, and not early, which nothing would correct.
    const wallMs = Date.now();
    const steadyMs = performance.now();
    const expectedMs = this.wallMs + steadyMs - this.steadyMs;
    if (wallMs < expectedMs) return Math.floor(expectedMs);
    this.wallMs = wallMs;
    this.steadyMs = steadyMs;
    return wallMs;
  }

  /** How far the system clock is behind. */
  setBackMs(): number {
    return Math.max(0, this.now() - Date.now());
  }
}

/**
 * The time of the system as it is, also when it goes back. Only for times that others compare with their own clocks: nothing that ends, waits or
 * must be in order may use it.
 */
export class WallClock extends Clock {
  now(): number {
    return Date.now();
  }
}

/** What is left of a wait that began at `sinceMs`. All of it if that lies in the future, from a clock that was wrong and has been corrected. */
export const remainingWaitMs = (sinceMs: number, waitMs: number, nowMs: number): number =>
  Math.min(waitMs, Math.max(0, sinceMs + waitMs - nowMs));
