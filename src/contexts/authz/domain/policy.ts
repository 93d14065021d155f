import { bitOf, hasBit, actionsOf, type Action, type ActionMask } from '../../../kernel/actions.js';
import { CompiledConstraints, matchesGlobs, type RequestContext } from './constraints.js';
import { ALLOWED, DENIED, NOT_ALLOWED, type Decision, type RateRule } from './decision.js';
import type { Conditional } from './pattern-rules.js';
import { covers, overlap, reaches, touches, type ResourcePattern } from './resource-pattern.js';
import type { Rule } from './rule.js';
import { Question, RuleTable } from './rule-table.js';

export interface Explanation extends Decision {
  readonly rules: readonly Rule[];
}

/**
 * All that a principal may do in a tenant, compiled. Deny beats allow; what no rule allows is not allowed. Decisions are not cached:
 * conditions change with time, address and event (CVE-2026-33729 of OpenFGA), and among many callers the same question seldom repeats. It is a
 * table instead of having one, which saves a decision one cache miss.
 */
export class Policy extends RuleTable {
  /** `resource` is a path without wildcards. `held`: something other than these rules allows it without condition. */
  check(action: Action, resource: string, context: RequestContext, held = false): Decision {
    const bit = bitOf(action)!;
    if (!this.names(bit)) return held ? ALLOWED : NOT_ALLOWED;
    const question = new Question(bit, resource);
    if (held) question.allowed = true;
    this.evaluate(question);
    if (question.denied) return DENIED;
    if (!question.conditionals) return question.allowed ? ALLOWED : NOT_ALLOWED;
    return underConditions(question.conditionals, context, question.allowed);
  }

  /** Whether there may be anything at or below the resource for which the action is allowed: a list of it is worth filtering. */
  mayBelow(action: Action, resource: string): boolean {
    const bit = bitOf(action)!;
    const segments = resource === '' ? [] : resource.split('/');
    return this.rules.some(
      (rule) => rule.effect === 'allow' && hasBit(rule.actions, bit) && touches(rule.resource, segments),
    );
  }

  /** Whether anything at all is allowed at the resource, above or below it: otherwise it is as if it did not exist. */
  sees(resource: string): boolean {
    const segments = resource.split('/');
    return this.rules.some((rule) => rule.effect === 'allow' && touches(rule.resource, segments));
  }

  /** The same as `check`, with all rules that contributed. */
  explain(action: Action, resource: string, context: RequestContext): Explanation {
    const segments = resource === '' ? [] : resource.split('/');
    const rules = this.rules.filter(
      (rule) =>
        hasBit(rule.actions, bitOf(action)!) &&
        reaches(rule.resource, segments) &&
        (!rule.constraints ||
          new CompiledConstraints(rule.constraints).evaluate(context, rule.effect === 'deny') !== false),
    );
    return { ...this.check(action, resource, context), rules };
  }

  /** Which of the actions it does not hold, without condition, on all that the pattern names. */
  missing(actions: ActionMask, resource: ResourcePattern): Action[] {
    const unconditional = this.rules.filter(
      ({ effect, constraints, resource: own }) => effect === 'allow' && !constraints && covers(own, resource),
    );
    const denied = new Set(this.denied(actions, resource));
    return actionsOf(actions).filter(
      (action) => denied.has(action) || !unconditional.some((rule) => hasBit(rule.actions, bitOf(action)!)),
    );
  }

  /** Which of the actions are denied on anything that the pattern names, at any time. */
  denied(actions: ActionMask, resource: ResourcePattern): Action[] {
    const denies = this.rules.filter(({ effect, resource: own }) => effect === 'deny' && overlap(own, resource));
    return actionsOf(actions).filter((action) => denies.some((rule) => hasBit(rule.actions, bitOf(action)!)));
  }
}

function underConditions(conditionals: readonly Conditional[], context: RequestContext, held: boolean): Decision {
  let allowed = held;
  const deniedTypes: string[] = [];
  const freeTypes: string[] = [];
  /** For all types. */
  const rates: RateRule[] = [];
  const typedRates: TypedRate[] = [];
  for (const { via, effect, condition } of conditionals) {
    const verdict = condition.evaluate(context, effect === 'deny');
    if (verdict === false) continue;
    const { eventTypes = [], rateLimit } = condition.source;
    if (effect === 'deny') {
      if (verdict) return DENIED;
      deniedTypes.push(...eventTypes);
    } else if (rateLimit) {
      const rate = { grantId: via.id, ...rateLimit };
      if (verdict) rates.push(rate);
      else typedRates.push({ eventTypes, rate });
    } else if (verdict) allowed = true;
    else freeTypes.push(...eventTypes);
  }
  if (allowed) return limitedTo(undefined, deniedTypes);
  if (typedRates.length === 0 && freeTypes.length === 0)
    return rates.length === 0 ? NOT_ALLOWED : { ...limitedTo(undefined, deniedTypes), rates: [rates] };
  if (typedRates.length === 0 && rates.length === 0) return limitedTo(freeTypes, deniedTypes);
  const types = rates.length > 0 ? undefined : [...freeTypes, ...typedRates.flatMap(({ eventTypes }) => eventTypes)];
  return {
    ...limitedTo(types, deniedTypes),
    rates: rates.length > 0 ? [rates] : byTypes(typedRates),
    ratesByType: true,
  };
}

interface TypedRate {
  readonly eventTypes: readonly string[];
  readonly rate: RateRule;
}

/** Where the type is not known, the request may meet all of them: every list of types must have room, in one of its rates. */
function byTypes(typedRates: readonly TypedRate[]): RateRule[][] {
  const lists = Map.groupBy(typedRates, ({ eventTypes }) => eventTypes.toSorted().join(' '));
  return [...lists.values()].map((list) => list.map(({ rate }) => rate));
}

/** `allowed` undefined: all types but those that are denied. */
function limitedTo(allowed: readonly string[] | undefined, denied: readonly string[]): Decision {
  if (!allowed && denied.length === 0) return ALLOWED;
  const permits = (type: string): boolean => !matchesGlobs(denied, type) && (!allowed || matchesGlobs(allowed, type));
  return { ...ALLOWED, types: { permits } };
}
