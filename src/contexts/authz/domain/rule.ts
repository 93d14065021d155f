import { maskOf, type ActionMask } from '../../../kernel/actions.js';
import type { Constraints } from './constraints.js';
import type { ResourcePattern } from './resource-pattern.js';

/** How a rule got to the principal. */
export interface Via {
  readonly kind: 'role' | 'grant';
  readonly id: string;
  /** The group or role through which it came; undefined: directly. */
  readonly through?: { readonly kind: 'group' | 'role'; readonly id: string };
  /** Made in the system, where it holds for many tenants; undefined: in the tenant. */
  readonly system?: true;
}

/** One thing that is allowed or denied to a principal. */
export interface Rule {
  readonly via: Via;
  readonly effect: 'allow' | 'deny';
  readonly actions: ActionMask;
  readonly resource: ResourcePattern;
  readonly constraints?: Constraints | null;
}

export const ruleOf = (
  via: Via,
  effect: Rule['effect'],
  actions: Iterable<string>,
  resource: ResourcePattern,
  constraints?: Constraints | null,
): Rule => ({ via, effect, actions: maskOf(actions), resource, constraints: constraints ?? null });
