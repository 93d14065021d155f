import type { FieldError } from '../../../kernel/domain-error.js';

export { parseTime } from '../../../kernel/rfc3339.js';

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

/** Adds what is wrong with a field, if anything is. */
export function note(errors: FieldError[], pointer: string, judgement: Judgement): boolean {
  if (judgement === null) return true;
  errors.push({ pointer, detail: judgement });
  return false;
}
