/** So many in a window, and no more than that at once. */
export interface Rate {
  readonly limit: number;
  readonly windowSeconds: number;
}

/**
 * Begins full and refills evenly over the window. More may be taken than there is: the bucket is then in debt. The rate may change with
 * each refill; its numbers are kept, not the object, which in an old bucket would cost each publish 50 ns (write barrier).
 */
export class TokenBucket implements Rate {
  limit: number;
  windowSeconds: number;
  tokens: number;

  constructor(
    { limit, windowSeconds }: Rate,
    private at: number,
  ) {
    this.limit = this.tokens = limit;
    this.windowSeconds = windowSeconds;
  }

  refill({ limit, windowSeconds }: Rate, now: number): this {
    const passedMs = Math.max(0, now - this.at);
    this.tokens = Math.min(limit, this.tokens + (passedMs * limit) / (windowSeconds * 1_000));
    this.at = now;
    this.limit = limit;
    this.windowSeconds = windowSeconds;
    return this;
  }

  take(count: number): void {
    this.tokens -= count;
  }

  /** From the last refill on; never where the limit is 0. */
  secondsUntil(tokens: number): number {
    return (Math.max(0, tokens - this.tokens) * this.windowSeconds) / this.limit;
  }
}
