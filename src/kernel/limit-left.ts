/** What is left of a limit of any kind. */
export interface LimitLeft {
  /** Its name; docs/limits.md has all of them. */
  readonly policy: string;
  readonly quota: number;
  readonly remaining: number;
  /** Undefined for limits on what is open, or stored, at one time. */
  readonly windowSeconds?: number;
  /** Undefined: requests, or what they carry (events, mails). */
  readonly unit?: 'content-bytes' | 'concurrent-requests';
  /** Until more is available. */
  readonly resetSeconds?: number;
}

/** The extensions of an error that reports an exhausted limit. */
export const exhaustedLimit = (limit: Omit<LimitLeft, 'remaining' | 'resetSeconds'>, retryAfterSeconds: number) => ({
  retryAfterSeconds,
  limit: { ...limit, remaining: 0, resetSeconds: retryAfterSeconds } satisfies LimitLeft,
});
