/*
 * Guesses are counted for a name and the class of addresses that they come from, so that a stranger who guesses makes himself wait and
 * not the owner. Whoever guesses from many addresses meets a second count, for the name alone, which stops only those classes from which
 * nobody has logged in to that account: its owner goes on from where he was before, and may reset his password by mail from anywhere.
 */
export const FREE_FAILURES = 10;
export const WAIT_MS_MAX = 900_000;
/** NIST SP 800-63B: no more than 100 consecutive failures on one account. */
export const ACCOUNT_FAILURES_MAX = 100;
/** Failures count as consecutive until nothing has been guessed for so long. */
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

/** Milliseconds until the next guess is looked at; 0: now. */
export function waitLeft(failures: Failures | undefined, now: number, free = FREE_FAILURES): number {
  if (!failures) return 0;
  return Math.max(0, failures.lastAt + waitAfter(failures.count, free) - now);
}

/** A guess counts when it is made, not when it has failed: parallel ones would slip through otherwise. */
export function counted(failures: Failures | undefined, now: number): Failures {
  const recent = failures && now - failures.lastAt < FORGOTTEN_AFTER_MS ? failures.count : 0;
  return { count: recent + 1, lastAt: now };
}
