import { bitOf, hasBit, actionsOf, type Action, type ActionMask } from '../../../kernel/actions.js';
import { CompiledConstraints, matchesGlobs, type RequestContext } from './constraints.js';
import type { Conditional } from './pattern-rules.js';
import { covers, overlap, reaches, touches, type ResourcePattern } from './resource-pattern.js';
import type { Rule } from './rule.js';
import { Question, RuleTable } from './rule-table.js';

/** Which types of events an allowed action on events is limited to. */
export interface TypeRule {
  permits(type: string): boolean;
}

/** Allowed at this rate only: taken from when the request is let through. */
export interface RateRule {
  readonly grantId: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: 'allowed' | 'denied' | 'not-allowed';
  readonly types?: TypeRule;
  /** One of them must have room. */
  readonly rates?: readonly RateRule[];
}

export interface Explanation extends Decision {
  readonly rules: readonly Rule[];
}

const ALLOWED: Decision = { allowed: true, reason: 'allowed' };
const DENIED: Decision = { allowed: false, reason: 'denied' };
const NOT_ALLOWED: Decision = { allowed: false, reason: 'not-allowed' };

/**
 * All that a principal may do in a tenant, made ready. Deny beats allow; what no rule allows is not allowed. Decisions are not remembered:
 * conditions change with time, address and event (CVE-2026-33729 of OpenFGA), and who asks seldom asks the same again among many.
 * It is a table, and does not have one: that is one place less for a decision to touch.
 */
export class Policy extends RuleTable {
  /** `resource` is a path without wildcards. */
  check(action: Action, resource: string, context: RequestContext): Decision {
    const bit = bitOf(action)!;
    if (!this.names(bit)) return NOT_ALLOWED;
    const question = new Question(bit, resource);
    this.answer(question);
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

  /** The same as `check`, and all rules that had a part in it. */
  explain(action: Action, resource: string, context: RequestContext): Explanation {
    const segments = resource === '' ? [] : resource.split('/');
    const rules = this.rules.filter(
      (rule) =>
        hasBit(rule.actions, bitOf(action)!) &&
        reaches(rule.resource, segments) &&
        (!rule.constraints ||
          new CompiledConstraints(rule.constraints).judge(context, rule.effect === 'deny') !== false),
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
  const rates: RateRule[] = [];
  const deniedTypes: string[] = [];
  const allowedTypes: string[] = [];
  for (const { via, effect, condition } of conditionals) {
    const verdict = condition.judge(context, effect === 'deny');
    if (verdict === false) continue;
    const { eventTypes = [], rateLimit } = condition.source;
    if (effect === 'deny') {
      if (verdict) return DENIED;
      deniedTypes.push(...eventTypes);
    } else if (rateLimit) {
      rates.push({ grantId: via.id, ...rateLimit });
      if (verdict === undefined) allowedTypes.push(...eventTypes);
    } else if (verdict) allowed = true;
    else allowedTypes.push(...eventTypes);
  }
  return decide(allowed, rates, allowedTypes, deniedTypes);
}

function decide(
  allowed: boolean,
  rates: readonly RateRule[],
  allowedTypes: readonly string[],
  deniedTypes: readonly string[],
): Decision {
  if (!allowed && rates.length === 0 && allowedTypes.length === 0) return NOT_ALLOWED;
  const narrowed = !allowed && allowedTypes.length > 0;
  const types: TypeRule | undefined =
    narrowed || deniedTypes.length > 0
      ? { permits: (type) => !matchesGlobs(deniedTypes, type) && (!narrowed || matchesGlobs(allowedTypes, type)) }
      : undefined;
  return {
    allowed: true,
    reason: 'allowed',
    ...(types && { types }),
    ...(!allowed && rates.length > 0 && { rates }),
  };
}
