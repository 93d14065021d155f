import { exceedsCharacters } from '../../../kernel/characters.js';
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

export function eventIdProblem(id: unknown): string | null {
  const problem = lengthProblem(id, EVENT_ID_CHARS_MAX);
  if (problem !== null || EVENT_ID.test(id as string)) return problem;
  return 'must begin with a letter or digit and hold only letters, digits and ._:~@+=,|$!*()- without ".."';
}

export function typeProblem(type: unknown): string | null {
  return (
    lengthProblem(type, NAME_CHARS_MAX) ?? (TYPE.test(type as string) ? null : 'must be visible ASCII without spaces')
  );
}

export function nameProblem(name: unknown): string | null {
  const problem = lengthProblem(name, NAME_CHARS_MAX);
  if (problem !== null || NAME.test(name as string)) return problem;
  return (name as string).isWellFormed() ? 'must not have control characters' : 'must be well-formed Unicode';
}

export function referenceProblem(id: unknown): string | null {
  if (typeof id !== 'string') return 'must be a string';
  const valid = id.length <= REFERENCE_CHARS_MAX && REFERENCE.test(id);
  return valid ? null : `must be 1 to ${REFERENCE_CHARS_MAX} visible ASCII characters`;
}

export function schemaVersionProblem(version: unknown): string | null {
  const valid = Number.isInteger(version) && (version as number) >= 1 && (version as number) <= SCHEMA_VERSION_MAX;
  return valid ? null : `must be a whole number from 1 to ${SCHEMA_VERSION_MAX}`;
}

function lengthProblem(text: unknown, charactersMax: number): string | null {
  if (typeof text !== 'string') return 'must be a string';
  const fits = text.length > 0 && !exceedsCharacters(text, charactersMax);
  return fits ? null : `must have 1 to ${charactersMax} characters`;
}

/** Adds the problem of a field, if it has one; returns whether it has none. */
export function checkField(errors: FieldError[], pointer: string, problem: string | null): boolean {
  return problem === null || addProblem(errors, pointer, problem);
}

/** Returns false, as `checkField` does for a field with a problem. */
export function addProblem(errors: FieldError[], pointer: string, problem: string): false {
  errors.push({ pointer, detail: problem });
  return false;
}
