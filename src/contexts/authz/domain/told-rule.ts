import { parsePattern, touches } from './resource-pattern.js';
import type { Rule } from './rule.js';

/** A rule of the system as it is told in a tenant. */
export interface SystemRule extends Pick<Rule, 'effect' | 'actions' | 'resource'> {
  readonly via: { readonly kind: 'system' };
  /** It holds under a condition, which is not told. */
  readonly conditional: boolean;
}

/** A rule as it is told to somebody else than whom it holds for. */
export type ToldRule = Rule | SystemRule;

/**
 * What who looks after a tenant is told of somebody's rules: those that hold in the tenant. What the system allows or denies is told as far
 * as it is about the tenant, and as made by the system: its ids, its conditions (addresses, times) and the names in its patterns are a
 * matter of the system and of other tenants.
 */
export function toldIn(tenantId: string, rules: readonly Rule[]): ToldRule[] {
  return rules
    .filter(({ resource }) => touches(resource, ['tenants', tenantId]))
    .map((rule) => (rule.via.system ? ofSystem(tenantId, rule) : rule));
}

function ofSystem(tenantId: string, { effect, actions, resource, constraints }: Rule): SystemRule {
  const within = parsePattern(['tenants', tenantId, ...resource.segments.slice(2)].join('/'));
  return { via: { kind: 'system' }, effect, actions, resource: within, conditional: Boolean(constraints) };
}
