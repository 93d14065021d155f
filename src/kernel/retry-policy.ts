/** How often and when a delivery that failed is tried again. */
export interface RetryPolicy {
  readonly strategy: 'exponential' | 'linear' | 'fixed' | 'schedule';
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  /** For `exponential`: the factor from one delay to the next. */
  readonly multiplier: number;
  /** The share of the delay that may be added at random; nothing is ever subtracted. */
  readonly jitter: number;
  /** Attempts in all, the first one included. */
  readonly maxAttempts: number;
  /** Counted from the first failure. */
  readonly maxAgeSeconds: number;
  /** For `schedule`: the delay after each failure; the last one is repeated. */
  readonly scheduleMs?: readonly number[];
}

/**
 * 1 s, 2 s, 4 s … up to an hour, for three days. The head of an ordered lane blocks what follows, so the first steps are short: the
 * ladder of Standard Webhooks (5 s, 5 min, 30 min, 2 h …) would hold a topic up for half an hour after two lost packets.
 */
export const DEFAULT_RETRY: RetryPolicy = {
  strategy: 'exponential',
  initialDelayMs: 1_000,
  maxDelayMs: 3_600_000,
  multiplier: 2,
  jitter: 0.1,
  maxAttempts: 80,
  maxAgeSeconds: 3 * 24 * 3_600,
};

/** Milliseconds to wait after the `attempt`-th failure (1, 2, …). `random` returns [0, 1). */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const delay = Math.min(plannedDelayMs(policy, attempt), policy.maxDelayMs);
  return Math.round(delay + delay * policy.jitter * random());
}

function plannedDelayMs({ strategy, initialDelayMs, multiplier, scheduleMs }: RetryPolicy, attempt: number): number {
  switch (strategy) {
    case 'exponential':
      return initialDelayMs * multiplier ** (attempt - 1);
    case 'linear':
      return initialDelayMs * attempt;
    case 'schedule':
      return scheduleMs?.[Math.min(attempt, scheduleMs.length) - 1] ?? initialDelayMs;
    default:
      return initialDelayMs;
  }
}

/** Whether there is no further attempt after `attempts` failures, the first of them at `firstFailedAt`. */
export function isExhausted(policy: RetryPolicy, attempts: number, firstFailedAt: number, now: number): boolean {
  return attempts >= policy.maxAttempts || now - firstFailedAt >= policy.maxAgeSeconds * 1_000;
}
