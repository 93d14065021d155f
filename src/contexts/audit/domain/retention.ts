import { auditError } from './audit-errors.js';

export const RETENTION_DAYS = { min: 30, max: 3_650 } as const;

const DAY_MS = 86_400_000;

/** `P400D`: the one form of ISO 8601 durations that has the same length at all times. From 30 to 3650. */
export const MAX_AGE = /^P([3-9]\d|[1-9]\d\d|[12]\d\d\d|3[0-5]\d\d|36[0-4]\d|3650)D$/;

export function parseMaxAge(text: string): number {
  const days = Number(MAX_AGE.exec(text)?.[1]);
  if (isRetention(days)) return days;
  const detail = `must be days from P${RETENTION_DAYS.min}D to P${RETENTION_DAYS.max}D`;
  throw auditError('audit-retention-invalid', `maxAge ${detail}.`, { errors: [{ pointer: '/maxAge', detail }] });
}

export const isRetention = (days: number): boolean => days >= RETENTION_DAYS.min && days <= RETENTION_DAYS.max;

/** For stored days: a tampered value must not remove records younger than any retention may. */
export const clampRetention = (days: number): number =>
  Math.min(Math.max(days, RETENTION_DAYS.min), RETENTION_DAYS.max);

export const maxAgeOf = (days: number): string => `P${days}D`;

/** Records from before this time may be removed. */
export const cutoff = (now: number, days: number): number => now - days * DAY_MS;
