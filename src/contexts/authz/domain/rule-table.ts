import { hasBit, NO_ACTIONS, union, type ActionMask } from '../../../kernel/actions.js';
import { NOTHING, sharedMask, sharedRules, withRule, type Conditional, type PatternRules } from './pattern-rules.js';
import { reachesPath } from './resource-pattern.js';
import type { Rule } from './rule.js';

const SLASH = 47;
const STAR = 42;
/** Of a slot: the hash of a pattern, its text, and what the rules say about it. */
const CELLS = 3;
const SLOTS_MIN = 4;
const FILLED_MAX = 0.75;

/** FNV-1a, with a seed of its own in each process, so that no one can choose names that collide. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0;
const { imul } = Math;
const step = (hash: number, code: number): number => imul(hash ^ code, 0x01000193);

export function hashOf(text: string): number {
  let hash = SEED;
  for (let at = 0; at < text.length; at++) hash = step(hash, text.charCodeAt(at));
  return hash;
}

/** An action on a path, and what the rules that were read so far say about it. */
export class Question {
  allowed = false;
  denied = false;
  conditionals: Conditional[] | undefined = undefined;

  constructor(
    readonly bit: number,
    readonly path: string,
  ) {}

  /** Rules that would not change the result need not be compared by their text. */
  appliesTo({ allow, deny, maybe }: PatternRules): boolean {
    const { bit } = this;
    return (!this.allowed && hasBit(allow, bit)) || hasBit(deny, bit) || hasBit(maybe, bit);
  }

  absorb({ allow, deny, maybe, conditionals }: PatternRules): void {
    const { bit } = this;
    if (hasBit(deny, bit)) this.denied = true;
    if (hasBit(allow, bit)) this.allowed = true;
    if (!hasBit(maybe, bit)) return;
    for (const one of conditionals) if (hasBit(one.actions, bit)) (this.conditionals ??= []).push(one);
  }
}

/**
 * The rules of one principal by the hashes of their patterns. A path is read once; the hash of each prefix that is as long as a pattern is
 * looked up. Where a pattern continues after a `*`, the reading also continues after that segment. Hashes only find candidates: whether a
 * pattern reaches the path is decided by its text.
 *
 * The cost of a decision is the memory that it touches: among 10,000 principals each place is a cache miss of 0.1 to 0.4 µs. So it is one
 * array, of which a decision reads a few slots, and the text of the patterns that decide. Measured in turns on a busy machine, with 10,000
 * principals and 32 rules each, the median decision took 5.0 and 6.5 µs, against 12.3 and 12.5 µs with masks in a map by path and lists of
 * patterns. Objects in a hash table by the prefixes of patterns gained a tenth of that; an index of patterns that a tenant shares, with a map
 * from its numbers to the rules, gained nothing. With few principals it is 1.1 µs against 3.4 µs. Cached decisions would help neither: of the
 * 8 million possible questions there, hardly one repeats while it is cached.
 */
export class RuleTable {
  private readonly named: ActionMask;
  private readonly cells: (number | string | PatternRules | undefined)[] = [];
  private readonly slotMask: number;
  /** The lengths of patterns, of those that end in a `*` without it: a bit each, modulo 64. */
  private literalLow = 0;
  private literalHigh = 0;
  private openLow = 0;
  private openHigh = 0;

  constructor(readonly rules: readonly Rule[]) {
    const patterns = new Map<string, PatternRules>();
    let named = NO_ACTIONS;
    for (const rule of rules) {
      named = union(named, rule.actions);
      const text = rule.resource.segments.length === 0 ? '' : rule.resource.text;
      for (let star = text.indexOf('*'); star >= 0 && star < text.length - 1; star = text.indexOf('*', star + 1)) {
        const beginning = text.slice(0, star + 1);
        patterns.set(beginning, { ...(patterns.get(beginning) ?? NOTHING), hasLonger: true });
      }
      patterns.set(text, withRule(patterns.get(text) ?? NOTHING, rule));
    }
    this.named = sharedMask(named);
    let slots = SLOTS_MIN;
    while (patterns.size > slots * FILLED_MAX) slots *= 2;
    this.slotMask = slots - 1;
    for (let cell = 0; cell < slots * CELLS; cell++) this.cells.push(undefined);
    for (const [text, said] of patterns) this.put(text, sharedRules(said));
  }

  /** Whether any rule is about the action. */
  protected names(bit: number): boolean {
    return hasBit(this.named, bit);
  }

  /** Reads rules until it is denied, or all are read. */
  protected evaluate(question: Question): void {
    this.read(question, SEED, 0, 0);
  }

  private put(text: string, said: PatternRules): void {
    const open = text.endsWith('*');
    const length = open ? text.length - 1 : text.length;
    const bit = 1 << (length & 31);
    if (open && length & 32) this.openHigh |= bit;
    else if (open) this.openLow |= bit;
    else if (length & 32) this.literalHigh |= bit;
    else this.literalLow |= bit;
    const hash = hashOf(text);
    let slot = this.slotOf(hash);
    while (this.cells[slot * CELLS] !== undefined) slot = (slot + 1) & this.slotMask;
    this.cells[slot * CELLS] = hash;
    this.cells[slot * CELLS + 1] = text;
    this.cells[slot * CELLS + 2] = said;
  }

  private slotOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.slotMask;
  }

  /** `hash` is of what was read before `at`; in patterns that is `shift` characters longer, since `*` replaces a segment there. */
  private read(question: Question, hash: number, at: number, shift: number): void {
    const { path } = question;
    const { literalLow, literalHigh, openLow, openHigh } = this;
    const [low, high] = [literalLow | openLow, literalHigh | openHigh];
    for (;;) {
      const end = at + untilNext(low, high, at + shift);
      if (end > path.length) return;
      while (at < end) hash = step(hash, path.charCodeAt(at++));
      const length = at + shift;
      const bit = 1 << (length & 31);
      if ((length & 32 ? literalHigh : literalLow) & bit && isEnd(path, at)) this.look(question, hash);
      if ((length & 32 ? openHigh : openLow) & bit && !question.denied) {
        const open = step(hash, STAR);
        const rest = this.look(question, open) ? path.indexOf('/', at) : -1;
        if (rest >= 0) this.read(question, open, rest, length + 1 - rest);
      }
      if (question.denied || at === path.length) return;
      hash = step(hash, path.charCodeAt(at++));
    }
  }

  /** Applies the rules with the hash. Returns whether longer patterns continue there. */
  private look(question: Question, hash: number): boolean {
    const { cells, slotMask } = this;
    let hasLonger = false;
    for (let slot = this.slotOf(hash); ; slot = (slot + 1) & slotMask) {
      const found = cells[slot * CELLS];
      if (found === undefined) return hasLonger;
      if (found !== hash) continue;
      const said = cells[slot * CELLS + 2] as PatternRules;
      if (said.hasLonger) hasLonger = true;
      if (question.appliesTo(said) && reachesPath(cells[slot * CELLS + 1] as string, question.path))
        question.absorb(said);
    }
  }
}

const isEnd = (path: string, at: number): boolean => at === path.length || at === 0 || path.charCodeAt(at) === SLASH;

/** How far it is from a length to the next one that is marked, itself included; modulo 64. */
function untilNext(low: number, high: number, length: number): number {
  const from = length & 31;
  const [own, other] = length & 32 ? [high, low] : [low, high];
  if (own >>> from) return lowestBit(own >>> from);
  if (other) return 32 - from + lowestBit(other);
  return own ? 64 - from + lowestBit(own) : Infinity;
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);
