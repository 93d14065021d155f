import { isEmpty, maskOf, without } from '../../../kernel/actions.js';
import { parsePattern } from '../domain/resource-pattern.js';
import type { Rule } from '../domain/rule.js';
import type { GrantView, PrincipalRules, TenantRules } from './ports.js';
import { NO_RULES, pathOf, ruleOfGrant, rulesFor } from './rules-for.js';

/** The rules of a tenant that one change can affect. */
export interface Rights {
  readonly tenant: TenantRules;
  /** Of the user or key that the change is about; where it is about none, nothing. */
  readonly own: PrincipalRules;
}

export interface RightsChange {
  readonly added: readonly Rule[];
  readonly removed: readonly Rule[];
}

/**
 * What a change of any kind gives and takes: every link (a role and its actions, a role of a member or group, a member of a group, a group in
 * a group, a grant) that is there on one side only, with all rules that come through it. The policy of a user is the union of what comes
 * through their links, so no policy changes by more than these rules. The policies of the 10,000 members that a group may have need not be
 * compiled one by one under the lock of the log.
 */
export function rightsChange(tenantId: string, before: Rights, after: Rights): RightsChange {
  return { added: addedRules(tenantId, before, after), removed: addedRules(tenantId, after, before) };
}

function addedRules(tenantId: string, from: Rights, to: Rights): Rule[] {
  const through = (holding: Partial<PrincipalRules>): Rule[] =>
    rulesFor(tenantId, to.tenant, { ...NO_RULES, ...holding });
  const role = (roleId: string, scope = ''): Rule[] => through({ roles: [{ roleId, scope }] });
  const group = (groupId: string): Rule[] => through({ groups: [groupId] });
  return [
    ...moreActions(tenantId, from.tenant, to.tenant),
    ...missingIn(from.tenant.groupRoles, to.tenant.groupRoles).flatMap(({ roleId }) => role(roleId)),
    ...missingIn(from.tenant.nesting, to.tenant.nesting).flatMap(({ groupId }) => group(groupId)),
    ...missingIn(from.own.roles, to.own.roles).flatMap(({ roleId, scope }) => role(roleId, scope)),
    ...missingIn(from.own.groups, to.own.groups).flatMap(group),
    ...newGrants(from, to).map((grant) => ruleOfGrant(grant)),
  ];
}

/** Added actions of roles, in the whole tenant: roles may be held anywhere in it. */
function moreActions(tenantId: string, from: TenantRules, to: TenantRules): Rule[] {
  const whole = parsePattern(pathOf(tenantId, ''));
  return to.roles.flatMap(({ roleId, actions }) => {
    const known = from.roles.find((role) => role.roleId === roleId)?.actions ?? [];
    const more = without(maskOf(actions), maskOf(known));
    return isEmpty(more)
      ? []
      : [{ via: { kind: 'role', id: roleId }, effect: 'allow', actions: more, resource: whole } satisfies Rule];
  });
}

function newGrants(from: Rights, to: Rights): GrantView[] {
  const known = new Set([...from.tenant.grants, ...from.own.grants].map(({ grantId }) => grantId));
  return [...to.tenant.grants, ...to.own.grants].filter(({ grantId }) => !known.has(grantId));
}

function missingIn<T>(from: readonly T[], to: readonly T[]): T[] {
  const known = new Set(from.map((one) => JSON.stringify(one)));
  return to.filter((one) => !known.has(JSON.stringify(one)));
}
