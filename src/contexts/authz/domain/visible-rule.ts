import { parsePattern, touches } from './resource-pattern.js';
import type { Rule } from './rule.js';

/** A rule of the system as it is shown in a tenant. */
export interface SystemRule extends Pick<Rule, 'effect' | 'actions' | 'resource'> {
  readonly via: { readonly kind: 'system' };
  /** It holds under a condition, which is not shown. */
  readonly conditional: boolean;
}

/** A rule as it is shown to others than its principal. */
export type VisibleRule = Rule | SystemRule;

/**
 * What is shown in a tenant of a user's rules: those that hold in the tenant. A rule of the system is cut to the tenant and shown as made by
 * the system: its id, its conditions (addresses, times) and the names in its pattern belong to the system and to other tenants.
 */
export function visibleIn(tenantId: string, rules: readonly Rule[]): VisibleRule[] {
  return rules
    .filter(({ resource }) => touches(resource, ['tenants', tenantId]))
    .map((rule) => (rule.via.system ? ofSystem(tenantId, rule) : rule));
}

function ofSystem(tenantId: string, { effect, actions, resource, constraints }: Rule): SystemRule {
  const within = parsePattern(['tenants', tenantId, ...resource.segments.slice(2)].join('/'));
  return { via: { kind: 'system' }, effect, actions, resource: within, conditional: Boolean(constraints) };
}
