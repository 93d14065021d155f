import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { ruleOf, type Rule, type Via } from '../domain/rule.js';
import { predefinedRole } from '../domain/predefined-roles.js';
import { parsePattern } from '../domain/resource-pattern.js';
import type { GrantView, PrincipalRules, TenantRules } from './ports.js';

export const NO_RULES: PrincipalRules = { roles: [], groups: [], grants: [] };

/**
 * Everything that holds for a principal in a tenant: by its roles, by those of its groups and of the groups that contain these, and by grants.
 */
export function rulesFor(tenantId: string, tenant: TenantRules, own: PrincipalRules): Rule[] {
  const rules: Rule[] = [];
  const roles = new Map<string, Via['through']>();
  const addRole = (roleId: string, scope: string, through?: Via['through']): void => {
    if (scope === '') roles.set(roleId, through);
    const actions =
      predefinedRole(roleId)?.actions ?? tenant.roles.find((role) => role.roleId === roleId)?.actions ?? [];
    rules.push(ruleOf(via(tenantId, 'role', roleId, through), 'allow', actions, parsePattern(pathOf(tenantId, scope))));
  };
  for (const { roleId, scope } of own.roles) addRole(roleId, scope);
  const groups = withHolders(own.groups, tenant.nesting);
  for (const { groupId, roleId } of tenant.groupRoles)
    if (groups.has(groupId)) addRole(roleId, '', { kind: 'group', id: groupId });
  for (const grant of own.grants) rules.push(ruleOfGrant(grant));
  for (const grant of tenant.grants) {
    const { kind, id } = grant.principal;
    if (kind === 'group' ? groups.has(id) : roles.has(id))
      rules.push(ruleOfMany(grant, { kind: kind as 'group' | 'role', id }));
  }
  // The events of the system itself are for its administrators and auditors.
  if (tenantId === SYSTEM_TENANT && (roles.has('system-admin') || roles.has('system-auditor')))
    rules.push(
      ruleOf(via(tenantId, 'role', 'system'), 'allow', ['event:read'], parsePattern(`tenants/${SYSTEM_TENANT}`)),
    );
  return rules;
}

/** A scope of a role in a tenant as a path; in `$system` it is the root. */
export const pathOf = (tenantId: string, scope: string): string =>
  tenantId === SYSTEM_TENANT ? 'system' : `tenants/${tenantId}${scope && `/${scope}`}`;

export const ruleOfGrant = (grant: GrantView, through?: Via['through']): Rule =>
  ruleOf(
    via(grant.tenantId, 'grant', grant.grantId, through),
    grant.effect,
    grant.actions,
    parsePattern(grant.resource),
    grant.constraints,
  );

const ofMany = new WeakMap<GrantView, Rule>();

/** Of a grant to a role or group: one object for all its principals. */
function ruleOfMany(grant: GrantView, through: Via['through']): Rule {
  let rule = ofMany.get(grant);
  if (!rule) ofMany.set(grant, (rule = ruleOfGrant(grant, through)));
  return rule;
}

const via = (tenantId: string, kind: Via['kind'], id: string, through?: Via['through']): Via => ({
  kind,
  id,
  ...(through && { through }),
  ...(tenantId === SYSTEM_TENANT && { system: true }),
});

/** Groups and all that hold them, directly or through others. */
function withHolders(groups: readonly string[], nesting: TenantRules['nesting']): Set<string> {
  const found = new Set(groups);
  for (const group of found) for (const { groupId, childId } of nesting) if (childId === group) found.add(groupId);
  return found;
}
