import { actionsOf } from '../../../kernel/actions.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { GrantView, GroupView, MemberView, RoleView } from '../application/ports.js';
import type { RoleAssignment } from '../domain/member.js';
import type { Rule } from '../domain/rule.js';
import type { VisibleRule } from '../domain/visible-rule.js';
import type { PredefinedRole } from '../domain/predefined-roles.js';
import type { GrantDto, GroupDto, MemberDto, RoleDto } from './authz-responses.dto.js';
import type { HeldRuleDto, ToldRuleDto } from './rules.dto.js';

const versions = (view: {
  version: number;
  createdAt: number;
  updatedAt: number;
}): Pick<GroupDto, 'version' | 'createdAt' | 'updatedAt'> => ({
  version: view.version,
  createdAt: isoTime(view.createdAt),
  updatedAt: isoTime(view.updatedAt),
});

const scopeOf = ({ scope }: RoleAssignment): { namespace?: string; topic?: string } => {
  const [, namespace, , topic] = scope.split('/');
  return { ...(namespace !== undefined && { namespace }), ...(topic !== undefined && { topic }) };
};

/** Those of the whole tenant, and those of parts of it. */
export const rolesOf = ({ roles }: MemberView) => ({
  roles: [...new Set(roles.filter(({ scope }) => scope === '').map(({ roleId }) => roleId))],
  scopedRoles: roles.filter(({ scope }) => scope !== '').map((role) => ({ role: role.roleId, ...scopeOf(role) })),
});

export const toMemberDto = (member: MemberView): MemberDto => ({
  userId: member.userId,
  ...rolesOf(member),
  ...versions(member),
});

export const toRuleDto = (rule: Rule): HeldRuleDto => {
  const { kind, id, through } = rule.via;
  const { constraints } = rule;
  return { via: { kind, id, ...(through && { through }) }, ...contentOf(rule), ...(constraints && { constraints }) };
};

export const toToldRuleDto = (rule: VisibleRule): ToldRuleDto =>
  'conditional' in rule
    ? { via: rule.via, ...contentOf(rule), ...(rule.conditional && { conditional: true }) }
    : toRuleDto(rule);

const contentOf = ({ effect, actions, resource }: VisibleRule) => ({
  effect,
  actions: actionsOf(actions),
  resource: resource.text,
});

export const toRoleDto = ({ roleId, name: title, description, actions, ...role }: RoleView): RoleDto => ({
  id: roleId,
  name: title,
  description,
  actions,
  predefined: false,
  ...versions(role),
});

const toPredefinedDto = ({ roleId, name: title, description, actions }: PredefinedRole): RoleDto => ({
  id: roleId,
  name: title,
  description,
  actions,
  predefined: true,
});

export const toAnyRoleDto = (role: RoleView | PredefinedRole): RoleDto =>
  'version' in role ? toRoleDto(role) : toPredefinedDto(role);

export const toGroupDto = ({ groupId, name: title, ...group }: GroupView): GroupDto => ({
  id: groupId,
  name: title,
  ...versions(group),
});

export const toGrantDto = (
  grant: Pick<GrantView, 'grantId' | 'principal' | 'effect' | 'actions' | 'resource' | 'constraints' | 'createdAt'>,
): GrantDto => ({
  id: grant.grantId,
  principal: { [grant.principal.kind]: grant.principal.id },
  effect: grant.effect,
  actions: grant.actions,
  resource: grant.resource,
  ...(grant.constraints && { constraints: grant.constraints }),
  createdAt: isoTime(grant.createdAt),
});
