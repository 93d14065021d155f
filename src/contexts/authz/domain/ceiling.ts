import type { Ceiling } from '../../../kernel/access.js';
import {
  bitOf,
  expandActions,
  hasBit,
  intersection,
  isEmpty,
  maskOf,
  type Action,
  type ActionMask,
} from '../../../kernel/actions.js';
import { covers, overlap, parsePattern, reaches, touches, type ResourcePattern } from './resource-pattern.js';
import type { Rule } from './rule.js';

/** A ceiling, compiled for checks. */
export class CompiledCeiling {
  private readonly actions: ActionMask | undefined;
  private readonly scopes: readonly ResourcePattern[] | undefined;

  constructor({ scopes, actions }: Ceiling) {
    this.actions = actions ? maskOf(actions.flatMap(expandActions)) : undefined;
    this.scopes = scopes?.map((scope) => parsePattern(pathOf(scope)));
  }

  covers(action: Action, resource: string): boolean {
    if (this.actions && !hasBit(this.actions, bitOf(action)!)) return false;
    return !this.scopes || this.within(resource, reaches);
  }

  /** Whether all that the pattern names is in a scope. */
  coversAll(action: Action, pattern: ResourcePattern): boolean {
    if (this.actions && !hasBit(this.actions, bitOf(action)!)) return false;
    return !this.scopes || this.scopes.some((scope) => covers(scope, pattern));
  }

  /** Whether there is something in a scope that the pattern names. */
  overlaps(pattern: ResourcePattern): boolean {
    return !this.scopes || this.scopes.some((scope) => overlap(scope, pattern));
  }

  /** Whether the resource is in a scope, or a scope is in it. */
  sees(resource: string): boolean {
    return !this.scopes || this.within(resource, touches);
  }

  private within(resource: string, relation: typeof reaches): boolean {
    const segments = resource === '' ? [] : resource.split('/');
    return this.scopes!.some((scope) => relation(scope, segments));
  }
}

function pathOf({ tenant, namespace, topic }: NonNullable<Ceiling['scopes']>[number]): string {
  const path = ['tenants', tenant];
  if (namespace !== undefined) path.push('namespaces', namespace);
  if (namespace !== undefined && topic !== undefined) path.push('topics', topic);
  return path.join('/');
}

/** A part of what a key can do at most: these actions (undefined: all) in one place. */
export class Bound {
  constructor(
    private readonly actions: ActionMask | undefined,
    private readonly resource: ResourcePattern,
  ) {}

  /** The part of a rule that is within it; undefined: none. Where two patterns only overlap, all that the rule names, which is more. */
  part(rule: Rule): Rule | undefined {
    const actions = this.actions ? intersection(rule.actions, this.actions) : rule.actions;
    if (isEmpty(actions) || !overlap(rule.resource, this.resource)) return undefined;
    return { ...rule, actions, resource: covers(rule.resource, this.resource) ? this.resource : rule.resource };
  }
}

export function boundsOf({ scopes, actions }: Ceiling): Bound[] {
  const mask = actions ? maskOf(actions.flatMap(expandActions)) : undefined;
  const places = scopes ? scopes.map(pathOf) : ['system'];
  return places.map((place) => new Bound(mask, parsePattern(place)));
}
