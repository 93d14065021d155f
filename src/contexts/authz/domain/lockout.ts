import { isEmpty, isSame, maskOf, NO_ACTIONS, union, without, type ActionMask } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { topRole, predefinedRole } from './predefined-roles.js';
import { covers, parsePattern } from './resource-pattern.js';
import type { Rule } from './rule.js';

/*
 * A denial must not lock out the owners of a tenant, or the administrators of the system: no one else could lift it. So owners keep the
 * permissions to find and lift denials in their tenant, and administrators of the system keep them everywhere, whatever denies them. This is
 * decided when rules are evaluated: refusing such denials when they are made would miss those that reach an owner later, by a group that they
 * join, a group that is put into another, or a role that they are given.
 */
const LIFTING = maskOf(['permission:read', 'permission:grant']);

/** All that holds for a principal in a tenant: the rules of the tenant, and those of the system. */
export function withoutLockout(tenantId: string, inTenant: readonly Rule[], inSystem: readonly Rule[]): Rule[] {
  const administers =
    holdsTopRole(SYSTEM_TENANT, inSystem) || (tenantId === SYSTEM_TENANT && holdsTopRole(tenantId, inTenant));
  const owns = administers || holdsTopRole(tenantId, inTenant);
  const above = allowedEverywhere(tenantId, inSystem);
  return [
    ...inTenant.flatMap((rule) => withoutLockoutDenials(rule, owns ? union(above, LIFTING) : above)),
    // What the system denies to an owner applies: it was denied by someone who holds more.
    ...(administers ? inSystem.flatMap((rule) => withoutLockoutDenials(rule, LIFTING)) : inSystem),
  ];
}

/** What the system allows in all of the tenant, without condition. The system is above tenants: they cannot take it away. */
function allowedEverywhere(tenantId: string, inSystem: readonly Rule[]): ActionMask {
  if (inSystem.length === 0) return NO_ACTIONS;
  const whole = parsePattern(`tenants/${tenantId}`);
  return inSystem
    .filter(({ effect, constraints, resource }) => effect === 'allow' && !constraints && covers(resource, whole))
    .reduce((all, { actions }) => union(all, actions), NO_ACTIONS);
}

/** Whether the rules give the role that a tenant must not be without: `owner`, or in `$system` `system-admin`. */
export const holdsTopRole = (tenantId: string, rules: readonly Rule[]): boolean =>
  rules.some((rule) => isTopRole(tenantId, rule));

/**
 * Whether a rule is that role in all of the tenant, and all of the role. It carries more than its actions: owners lift denials, administrators
 * of the system also break the glass. So only its holders give and take it, no matter how many of its actions others hold.
 */
export function isTopRole(tenantId: string, { via, resource, actions }: Rule): boolean {
  const roleId = topRole(tenantId);
  if (via.kind !== 'role' || via.id !== roleId) return false;
  const whole = tenantId === SYSTEM_TENANT ? 'system' : `tenants/${tenantId}`;
  return resource.text === whole && isEmpty(without(maskOf(predefinedRole(roleId)!.actions), actions));
}

function withoutLockoutDenials(rule: Rule, kept: ActionMask): Rule[] {
  if (rule.effect === 'allow') return [rule];
  const actions = without(rule.actions, kept);
  // Most denials name neither: they stay the same objects, which are shared and compiled once.
  if (isSame(actions, rule.actions)) return [rule];
  return isEmpty(actions) ? [] : [{ ...rule, actions }];
}
