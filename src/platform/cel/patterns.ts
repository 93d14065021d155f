import { RE2JS } from '@bufbuild/re2';
import { exceedsCharacters } from '../../kernel/characters.js';
import { boundedMap } from '../limits/bounded-map.js';
import { charge } from './work-budget.js';

/** Limits of a pattern: repetitions enlarge the program, and the program's size is the price of each character. */
const patternLengthMax = 256;
const repetitionsMax = 200;
/** Compiled patterns kept, for all expressions together; an evicted one is compiled again when it is used. */
const patternsKept = 1000;
/** A search from this price on fills the pattern's state tables, 10 MB and more, which are then released. */
const tablesKeptUpTo = 200_000;

const compiled = boundedMap<{ regex: RE2JS; unitsPerCharacter: number }>(patternsKept);

/**
 * What is wrong with a pattern; undefined: nothing. RE2 has neither look-around nor back references and never takes exponential time, but
 * its price is the text's length times the program's size: measured 1 µs plus 110 ns an instruction for each character at worst,
 * (a?){200}a{200} on 64 KiB 1.6 s. Hence the limits here and the charge below.
 */
export function patternProblem(pattern: string): string | undefined {
  if (exceedsCharacters(pattern, patternLengthMax)) return `the pattern is longer than ${patternLengthMax} characters`;
  const counts = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, min, max]) => Number(max || min));
  if (counts.reduce((sum, count) => sum + count, 0) > repetitionsMax) {
    return `the pattern repeats more than ${repetitionsMax} times`;
  }
  try {
    patternOf(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'the pattern is not valid';
  }
}

export function matchesPattern(text: string, pattern: string): boolean {
  const { regex, unitsPerCharacter } = patternOf(pattern);
  const price = 50 + text.length * unitsPerCharacter;
  charge(price);
  const found = regex.test(text);
  if (price > tablesKeptUpTo) regex.reset();
  return found;
}

function patternOf(pattern: string) {
  const kept = compiled.peek(pattern);
  if (kept) return kept;
  const regex = RE2JS.compile(pattern);
  const entry = { regex, unitsPerCharacter: 100 + 11 * regex.re2().prog.numInst() };
  compiled.set(pattern, entry);
  return entry;
}
