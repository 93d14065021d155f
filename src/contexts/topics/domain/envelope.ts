import type { FieldError } from '../../../kernel/domain-error.js';

/** Rules of the fields around an event's data. Everything is checked before the log sees it. */

export const EVENT_ID_CHARS_MAX = 128;
export const NAME_CHARS_MAX = 255;
export const METADATA_BYTES_MAX = 16 * 1024;
export const DATA_DEPTH_MAX = 128;

/** Goes into paths, headers and log lines as it is: no slash, no space, no quote. */
const EVENT_ID = /^[A-Za-z0-9][A-Za-z0-9._:~@+=,|$!*()-]*$/;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** RFC 3339: date, time and offset are all required. */
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

export type Judgement = string | null;

export function judgeEventId(id: unknown): Judgement {
  if (typeof id !== 'string') return 'must be a string';
  if (id.length === 0 || id.length > EVENT_ID_CHARS_MAX) return `must have 1 to ${EVENT_ID_CHARS_MAX} characters`;
  if (!EVENT_ID.test(id) || id.includes('..'))
    return 'must begin with a letter or digit and hold only letters, digits and ._:~@+=,|$!*()- without ".."';
  return null;
}

/** A type goes into headers: visible ASCII. */
export function judgeType(type: unknown): Judgement {
  if (typeof type !== 'string') return 'must be a string';
  if (type.length === 0 || type.length > NAME_CHARS_MAX) return `must have 1 to ${NAME_CHARS_MAX} characters`;
  return VISIBLE_ASCII.test(type) ? null : 'must be visible ASCII without spaces';
}

/** A key or stream: any text without control characters. */
export function judgeName(name: unknown): Judgement {
  if (typeof name !== 'string') return 'must be a string';
  if (name.length === 0 || name.length > NAME_CHARS_MAX) return `must have 1 to ${NAME_CHARS_MAX} characters`;
  if (!name.isWellFormed()) return 'must be well-formed Unicode';
  return CONTROL.test(name) ? 'must not have control characters' : null;
}

/** A correlation or causation id: what a header can carry. */
export function judgeReference(id: unknown): Judgement {
  if (typeof id !== 'string') return 'must be a string';
  return id.length <= 128 && VISIBLE_ASCII.test(id) ? null : 'must be 1 to 128 visible ASCII characters';
}

export function judgeSchemaVersion(version: unknown): Judgement {
  const valid = Number.isInteger(version) && (version as number) >= 1 && (version as number) <= 1_000_000;
  return valid ? null : 'must be a whole number from 1 to 1000000';
}

const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds since the epoch of an RFC 3339 time; NaN if it is none. Digits below the millisecond are cut off. */
export function parseTime(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  const match = RFC3339.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && !leap ? 28 : (DAYS_IN_MONTH[month - 1] ?? 0);
  if (year < 1 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  return Date.parse(text.toUpperCase());
}

/** Adds what is wrong with a field, if anything is. */
export function note(errors: FieldError[], pointer: string, judgement: Judgement): boolean {
  if (judgement === null) return true;
  errors.push({ pointer, detail: judgement });
  return false;
}
