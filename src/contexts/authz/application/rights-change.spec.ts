import { actionsOf } from '../../../kernel/actions.js';
import type { Rule } from '../domain/rule.js';
import type { GrantView, PrincipalRules, TenantRules } from './ports.js';
import { rightsChange, type Rights } from './rights-change.js';
import { NO_RULES } from './rules-for.js';

const EMPTY: TenantRules = { roles: [], groupRoles: [], nesting: [], grants: [] };
const rights = (tenant: Partial<TenantRules>, own: Partial<PrincipalRules> = {}): Rights => ({
  tenant: { ...EMPTY, ...tenant },
  own: { ...NO_RULES, ...own },
});
const grant = (kind: 'user' | 'group' | 'role', id: string, action: string, effect: GrantView['effect'] = 'allow') =>
  ({
    tenantId: 'acme',
    grantId: `${kind} ${id} ${action}`,
    principal: { kind, id },
    effect,
    actions: [action],
    resource: 'tenants/acme/namespaces/shop',
    constraints: null,
    version: 1,
    createdAt: 0,
  }) satisfies GrantView;
const textOf = ({ effect, actions, resource }: Rule): string =>
  `${effect} ${actionsOf(actions).join()} ${resource.text}`;
const change = (before: Rights, after: Rights): [string[], string[]] => {
  const { added, removed } = rightsChange('acme', before, after);
  return [added.map(textOf), removed.map(textOf)];
};

const CLERK = { roleId: 'clerk', actions: ['topic:read'] };
const SHOP = 'tenants/acme/namespaces/shop';

describe('what a change gives and takes', () => {
  it('is nothing where nothing changes', () => {
    const world = rights({ roles: [CLERK], grants: [grant('role', 'clerk', 'event:read')] }, { groups: ['team'] });
    expect(change(world, world)).toEqual([[], []]);
  });

  it('of an assigned role is its actions, and in the whole tenant also the grants and denials to the role', () => {
    const tenant = {
      roles: [CLERK],
      grants: [grant('role', 'clerk', 'event:read'), grant('role', 'clerk', 'event:publish', 'deny')],
    };
    const given = (scope: string) => change(rights(tenant), rights(tenant, { roles: [{ roleId: 'clerk', scope }] }))[0];
    expect(given('')).toEqual([
      'allow topic:read tenants/acme',
      `allow event:read ${SHOP}`,
      `deny event:publish ${SHOP}`,
    ]);
    expect(given('namespaces/shop')).toEqual([`allow topic:read ${SHOP}`]);
  });

  it('of leaving a group is all that comes by it and by the groups that contain it, denials included', () => {
    const tenant = {
      roles: [CLERK],
      groupRoles: [{ groupId: 'outer', roleId: 'clerk' }],
      nesting: [{ groupId: 'outer', childId: 'inner' }],
      grants: [grant('group', 'inner', 'event:read'), grant('group', 'outer', 'event:publish', 'deny')],
    };
    expect(change(rights(tenant, { groups: ['inner'] }), rights(tenant))).toEqual([
      [],
      ['allow topic:read tenants/acme', `allow event:read ${SHOP}`, `deny event:publish ${SHOP}`],
    ]);
  });

  it('of a group that is deleted is what its members, and those of the groups in it, had by it', () => {
    const nesting = [{ groupId: 'outer', childId: 'inner' }];
    const grants = [grant('group', 'outer', 'event:publish', 'deny')];
    const gone = change(rights({ nesting, grants }), rights({}))[1];
    expect(gone).toContain(`deny event:publish ${SHOP}`);
  });

  it('of a role that is changed is the difference of its actions, in all of the tenant', () => {
    const after = rights({ roles: [{ roleId: 'clerk', actions: ['topic:create'] }] });
    expect(change(rights({ roles: [CLERK] }), after)).toEqual([
      ['allow topic:create tenants/acme'],
      ['allow topic:read tenants/acme'],
    ]);
  });

  it('of a grant is the grant, for every kind of principal', () => {
    const own = rights({}, { grants: [grant('user', 'usr_1', 'event:read')] });
    const others = rights({ grants: [grant('group', 'team', 'event:read', 'deny')] });
    expect(change(rights({}), own)).toEqual([[`allow event:read ${SHOP}`], []]);
    expect(change(others, rights({}))).toEqual([[], [`deny event:read ${SHOP}`]]);
  });
});
