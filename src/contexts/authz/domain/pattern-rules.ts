import { NO_ACTIONS, union, type ActionMask } from '../../../kernel/actions.js';
import { CompiledConstraints } from './constraints.js';
import type { Rule } from './rule.js';

/** A rule that holds under a condition, compiled. */
export interface Conditional extends Rule {
  readonly condition: CompiledConstraints;
}

/** All that a principal's rules say about one pattern. */
export interface PatternRules {
  readonly allow: ActionMask;
  readonly deny: ActionMask;
  /** What the conditionals are about. */
  readonly maybe: ActionMask;
  readonly conditionals: readonly Conditional[];
  /** Longer patterns begin with this one: `tenants/*` with `tenants/*` + `/namespaces/shop`. */
  readonly hasLonger: boolean;
}

const SHARED_MAX = 10_000;

export const NOTHING: PatternRules = {
  allow: NO_ACTIONS,
  deny: NO_ACTIONS,
  maybe: NO_ACTIONS,
  conditionals: [],
  hasLonger: false,
};

export function withRule({ allow, deny, maybe, conditionals, hasLonger }: PatternRules, rule: Rule): PatternRules {
  const { actions, constraints, effect } = rule;
  if (constraints)
    return { allow, deny, maybe: union(maybe, actions), conditionals: [...conditionals, conditional(rule)], hasLonger };
  return effect === 'allow'
    ? { allow: union(allow, actions), deny, maybe, conditionals, hasLonger }
    : { allow, deny: union(deny, actions), maybe, conditionals, hasLonger };
}

const compiled = new WeakMap<Rule, Conditional>();

/** A shared rule is compiled once. */
function conditional(rule: Rule): Conditional {
  let one = compiled.get(rule);
  if (!one) compiled.set(rule, (one = { ...rule, condition: new CompiledConstraints(rule.constraints!) }));
  return one;
}

const sharedByContent = new Map<string, PatternRules>();
const sharedMasks = new Map<string, ActionMask>();

/**
 * The same object for equal rules: very many patterns share few of them, which then stay in the cache of the processor. Cleared when there are
 * too many, which costs memory, nothing else.
 */
export function sharedRules(rules: PatternRules): PatternRules {
  const { allow, deny, conditionals, hasLonger } = rules;
  return conditionals.length > 0
    ? rules
    : shared(sharedByContent, `${allow.join(' ')}/${deny.join(' ')}/${hasLonger}`, rules);
}

/** Likewise the mask that each decision reads first: a mask of its own, with words of its own, would be two more cache misses. */
export const sharedMask = (mask: ActionMask): ActionMask => shared(sharedMasks, mask.join(' '), mask);

function shared<T>(all: Map<string, T>, name: string, one: T): T {
  const known = all.get(name);
  if (known) return known;
  if (all.size >= SHARED_MAX) all.clear();
  all.set(name, one);
  return one;
}
