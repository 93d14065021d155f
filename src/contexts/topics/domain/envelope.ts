import { hasMoreCharacters } from '../../../kernel/characters.js';
import type { FieldError } from '../../../kernel/domain-error.js';

/** Rules of the fields around an event's data. Everything is checked before the log sees it. */

export const EVENT_ID_CHARS_MAX = 128;
export const NAME_CHARS_MAX = 255;
export const REFERENCE_CHARS_MAX = 128;
export const SCHEMA_VERSION_MAX = 1_000_000;
export const METADATA_BYTES_MAX = 16 * 1024;
export const DATA_DEPTH_MAX = 128;

/** Goes into paths, headers and log lines as it is: no slash, no space, no quote, and no two dots in a row. */
export const EVENT_ID = /^[A-Za-z0-9](?:\.?[A-Za-z0-9_:~@+=,|$!*()-])*\.?$/;
/** A type goes into headers, as a correlation or causation id does. */
export const TYPE = /^[\x21-\x7e]+$/;
export const REFERENCE = TYPE;
/** A key or stream: any text without control characters, line separators and lone surrogates. */
// eslint-disable-next-line no-control-regex -- control characters are what it keeps out
export const NAME = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]+$/u;

export type Judgement = string | null;

export function judgeEventId(id: unknown): Judgement {
  const wrong = judgeLength(id, EVENT_ID_CHARS_MAX);
  if (wrong !== null || EVENT_ID.test(id as string)) return wrong;
  return 'must begin with a letter or digit and hold only letters, digits and ._:~@+=,|$!*()- without ".."';
}

export function judgeType(type: unknown): Judgement {
  return (
    judgeLength(type, NAME_CHARS_MAX) ?? (TYPE.test(type as string) ? null : 'must be visible ASCII without spaces')
  );
}

export function judgeName(name: unknown): Judgement {
  const wrong = judgeLength(name, NAME_CHARS_MAX);
  if (wrong !== null || NAME.test(name as string)) return wrong;
  return (name as string).isWellFormed() ? 'must not have control characters' : 'must be well-formed Unicode';
}

export function judgeReference(id: unknown): Judgement {
  if (typeof id !== 'string') return 'must be a string';
  const valid = id.length <= REFERENCE_CHARS_MAX && REFERENCE.test(id);
  return valid ? null : `must be 1 to ${REFERENCE_CHARS_MAX} visible ASCII characters`;
}

export function judgeSchemaVersion(version: unknown): Judgement {
  const valid = Number.isInteger(version) && (version as number) >= 1 && (version as number) <= SCHEMA_VERSION_MAX;
  return valid ? null : `must be a whole number from 1 to ${SCHEMA_VERSION_MAX}`;
}

function judgeLength(text: unknown, charactersMax: number): Judgement {
  if (typeof text !== 'string') return 'must be a string';
  const fits = text.length > 0 && !hasMoreCharacters(text, charactersMax);
  return fits ? null : `must have 1 to ${charactersMax} characters`;
}

/** Adds what is wrong with a field, if anything is. */
export function note(errors: FieldError[], pointer: string, judgement: Judgement): boolean {
  if (judgement === null) return true;
  errors.push({ pointer, detail: judgement });
  return false;
}
