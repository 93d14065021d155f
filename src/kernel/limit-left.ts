/** What is left of something that is limited, of whatever kind. */
export interface LimitLeft {
  /** Its name; docs/limits.md has all of them. */
  readonly policy: string;
  readonly quota: number;
  readonly remaining: number;
  /** Undefined for what is open, or kept, at one time. */
  readonly windowSeconds?: number;
  /** Undefined: requests, or what they bring (events, mails). */
  readonly unit?: 'content-bytes' | 'concurrent-requests';
  /** Until there is more of it. */
  readonly resetSeconds?: number;
}

/** The extensions of an error that says that nothing is left. */
export const usedUp = (limit: Omit<LimitLeft, 'remaining' | 'resetSeconds'>, retryAfterSeconds: number) => ({
  retryAfterSeconds,
  limit: { ...limit, remaining: 0, resetSeconds: retryAfterSeconds } satisfies LimitLeft,
});
