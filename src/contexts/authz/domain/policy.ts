import { bitOf, hasBit, maskOf, actionsOf, type Action, type ActionMask } from '../../../kernel/actions.js';
import { CompiledConstraints, matchesGlobs, type Constraints, type RequestContext } from './constraints.js';
import { covers, overlap, reaches, reachesPath, touches, type ResourcePattern } from './resource-pattern.js';

/** How a rule got to the principal. */
export interface Via {
  readonly kind: 'role' | 'grant';
  readonly id: string;
  /** The group or role through which it came; undefined: directly. */
  readonly through?: { readonly kind: 'group' | 'role'; readonly id: string };
}

/** One thing that is allowed or denied to a principal. */
export interface Rule {
  readonly via: Via;
  readonly effect: 'allow' | 'deny';
  readonly actions: ActionMask;
  readonly resource: ResourcePattern;
  readonly constraints?: Constraints | null;
}

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

interface Scope {
  allowLow: number;
  allowHigh: number;
  denyLow: number;
  denyHigh: number;
}

interface Conditional extends Rule {
  readonly condition: CompiledConstraints;
}

/**
 * All that a principal may do in a tenant, made ready: masks by path for what holds without condition, found by walking up the (at most
 * five) paths above a resource, and short lists for wildcards and conditions. Deny beats allow; what no rule allows is not allowed.
 * Decisions are not remembered: conditions change with time, address and event (CVE-2026-33729 of OpenFGA).
 */
export class Policy {
  private readonly scopes = new Map<string, Scope>();
  /** Of the paths in `scopes`: of the paths above a resource, only those of such a length are cut out and looked up. */
  private readonly lengths = new Set<number>();
  private readonly patterns: Rule[] = [];
  private readonly conditionals: Conditional[] = [];

  constructor(readonly rules: readonly Rule[]) {
    for (const rule of rules) {
      if (rule.constraints) this.conditionals.push(conditional(rule));
      else if (rule.resource.literal) this.add(rule);
      else this.patterns.push(rule);
    }
  }

  /** `resource` is a path without wildcards. */
  check(action: Action, resource: string, context: RequestContext): Decision {
    const bit = bitOf(action)!;
    const low = bit < 32 ? 1 << bit : 0;
    const high = bit < 32 ? 0 : 1 << (bit - 32);
    let allowed = false;
    for (let end = resource.length; ; end = endOfAbove(resource, end)) {
      const scope = this.lengths.has(end) ? this.scopes.get(resource.slice(0, end)) : undefined;
      if (scope) {
        if ((scope.denyLow & low) | (scope.denyHigh & high)) return DENIED;
        if ((scope.allowLow & low) | (scope.allowHigh & high)) allowed = true;
      }
      if (end === 0) break;
    }
    if (this.patterns.length === 0 && this.conditionals.length === 0) return allowed ? ALLOWED : NOT_ALLOWED;
    return this.checkRest(bit, resource, context, allowed);
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

  private add({ resource, effect, actions: { low, high } }: Rule): void {
    const path = resource.segments.join('/');
    const scope = this.scopes.get(path) ?? { allowLow: 0, allowHigh: 0, denyLow: 0, denyHigh: 0 };
    if (effect === 'allow') {
      scope.allowLow |= low;
      scope.allowHigh |= high;
    } else {
      scope.denyLow |= low;
      scope.denyHigh |= high;
    }
    this.scopes.set(path, scope);
    this.lengths.add(path.length);
  }

  private checkRest(bit: number, resource: string, context: RequestContext, held: boolean): Decision {
    let allowed = held;
    for (const { effect, actions, resource: pattern } of this.patterns) {
      if (!hasBit(actions, bit) || !reachesPath(pattern, resource)) continue;
      if (effect === 'deny') return DENIED;
      allowed = true;
    }
    if (this.conditionals.length === 0) return allowed ? ALLOWED : NOT_ALLOWED;
    return this.checkConditions(bit, resource, context, allowed);
  }

  private checkConditions(bit: number, resource: string, context: RequestContext, held: boolean): Decision {
    let allowed = held;
    const rates: RateRule[] = [];
    const deniedTypes: string[] = [];
    const allowedTypes: string[] = [];
    for (const { via, effect, actions, resource: pattern, condition } of this.conditionals) {
      if (!hasBit(actions, bit) || !reachesPath(pattern, resource)) continue;
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
}

const conditionals = new WeakMap<Rule, Conditional>();

/** A rule that many share is made ready once. */
function conditional(rule: Rule): Conditional {
  let ready = conditionals.get(rule);
  if (!ready) conditionals.set(rule, (ready = { ...rule, condition: new CompiledConstraints(rule.constraints!) }));
  return ready;
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

/** Where the path of the resource above ends: in `tenants/acme/topics/a` at 12, behind `tenants/acme`; 0 above all. */
function endOfAbove(path: string, end: number): number {
  const id = path.lastIndexOf('/', end - 1);
  return id <= 0 ? 0 : Math.max(0, path.lastIndexOf('/', id - 1));
}

export const ruleOf = (
  via: Via,
  effect: Rule['effect'],
  actions: Iterable<string>,
  resource: ResourcePattern,
  constraints?: Constraints | null,
): Rule => ({ via, effect, actions: maskOf(actions), resource, constraints: constraints ?? null });
