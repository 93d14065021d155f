import { unicodeEmail } from './email.js';

/*
 * After NIST SP 800-63B: long enough, not among those that are tried first, not derived from the account; no rules about kinds of characters, no
 * expiry. Every code point counts as one. The rules check the form that is hashed (NFKC), so that a password works however a keyboard composes
 * it.
 */
export const CODE_POINTS_MAX = 256;
export const BYTES_MAX = 1_024;
/** A shorter rest next to the words of the account adds too little. */
const REST_MIN = 8;
const WORD_MIN = 4;

export interface PasswordContext {
  readonly lengthMin: number;
  /** What others know of the account: e-mail, name. */
  readonly known: readonly (string | null)[];
  readonly isCommon: (password: string) => boolean;
}

/** The form that is hashed. */
export const normalizePassword = (password: string): string => password.normalize('NFKC');

/** Why a password is not accepted; undefined: it is. */
export function passwordProblem(password: string, { lengthMin, known, isCommon }: PasswordContext): string | undefined {
  if (!password.isWellFormed()) return 'contains a lone surrogate, which is not a character';
  const normal = normalizePassword(password);
  const points = [...normal];
  if (points.length < lengthMin) return `must have at least ${lengthMin} characters`;
  if (points.length > CODE_POINTS_MAX) return `must have at most ${CODE_POINTS_MAX} characters`;
  if (new TextEncoder().encode(normal).length > BYTES_MAX) return `must have at most ${BYTES_MAX} bytes`;
  const lower = normal.toLowerCase();
  if (isCommon(lower)) return 'is one of the passwords that are tried first';
  const unit = repeatedUnit(lower);
  if (unit !== lower && ([...unit].length < REST_MIN || isCommon(unit))) return 'repeats a few characters';
  if (isSequence(points)) return 'is a sequence of neighbouring characters';
  if (followsFrom(lower, known)) return 'is too much like the e-mail or the name';
  return undefined;
}

/** `abcabcabc` → `abc`; a text without repetition is its own unit. A text repeats if it occurs in its own double before the end. */
function repeatedUnit(text: string): string {
  const period = (text + text).indexOf(text, 1);
  return text.slice(0, period);
}

function isSequence(points: readonly string[]): boolean {
  const codes = points.map((point) => point.codePointAt(0)!);
  const steps = codes.slice(1).map((code, i) => code - codes[i]!);
  return Math.abs(steps[0]!) <= 1 && steps.every((step) => step === steps[0]);
}

function followsFrom(lower: string, known: readonly (string | null)[]): boolean {
  const words = known
    .flatMap((text) => wordsOf(unicodeEmail(text ?? '')))
    .toSorted((one, other) => other.length - one.length);
  if (!words.some((word) => lower.includes(word))) return false;
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), lower);
  return [...rest].length < REST_MIN;
}

/** The whole text and its parts: `jane.doe@acme.test` → itself, `jane.doe`, `jane`, `acme.test`, `acme` … */
function wordsOf(text: string): string[] {
  const lower = text.normalize('NFKC').toLowerCase();
  const parts = [lower, lower.replace(/\s+/g, ''), ...lower.split('@'), ...lower.split(/[^\p{L}\p{N}]+/u)];
  return parts.filter((part) => part.length >= WORD_MIN);
}
