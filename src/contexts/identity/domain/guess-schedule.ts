/*
 * Guesses are counted per name and class of addresses, so that a stranger who guesses makes only themselves wait, not the owner. A second count,
 * per name alone, limits guesses from many addresses. It stops only those classes from which no one has logged in to that account: its owner can
 * log in from where they were before, and reset the password by mail from anywhere.
 */
export const FREE_FAILURES = 10;
export const WAIT_MS_MAX = 900_000;
/** NIST SP 800-63B: no more than 100 consecutive failures on one account. */
export const ACCOUNT_FAILURES_MAX = 100;
/** Failures are consecutive until there was no guess for this time. */
export const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

export interface Failures {
  readonly count: number;
  readonly lastAt: number;
}

/** Milliseconds that must pass after so many failures: none, then 1 s, 2 s, 4 s … 15 minutes. */
export function waitAfter(failures: number, free = FREE_FAILURES): number {
  if (failures < free) return 0;
  return Math.min(1_000 * 2 ** Math.min(failures - free, 20), WAIT_MS_MAX);
}

/** Milliseconds until the next guess is accepted; 0: now. */
export function waitLeft(failures: Failures | undefined, now: number, free = FREE_FAILURES): number {
  if (!failures) return 0;
  return Math.max(0, failures.lastAt + waitAfter(failures.count, free) - now);
}

/** A guess counts when it is made, not when it has failed: otherwise parallel ones would slip through. */
export function withGuess(failures: Failures | undefined, now: number): Failures {
  const recent = failures && now - failures.lastAt < FORGOTTEN_AFTER_MS ? failures.count : 0;
  return { count: recent + 1, lastAt: now };
}
