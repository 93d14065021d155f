import type { Changed, DomainEvent } from '../../../kernel/aggregate.js';
import { checkGrant, type GrantState } from './grant.js';
import { checkGroup, type GroupEvent, type GroupPart, type GroupState } from './group.js';
import { checkMember, type MemberEvent, type MemberState, type RoleAssignment } from './member.js';
import { checkRole, requireNotHeld, type RoleState } from './role.js';

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;
const TENANT = { tenantId: 'acme', tenantUid: 'life-1' };
const NONE = { status: 'none' } as const;

const changed = <S, E extends DomainEvent>(before: S, state: S, events: readonly E[] = []): Changed<S, E> => ({
  before,
  state,
  events,
  version: events.length,
  recordedAt: 1,
});

describe('roles', () => {
  const active: RoleState = { status: 'active', name: 'Clerk', description: null, actions: [], createdAt: 1 };

  it('are at most a hundred in a tenant; existing ones can always be changed', () => {
    checkRole({ roles: 99 }, changed<RoleState, never>(NONE, active));
    expect(() => checkRole({ roles: 100 }, changed<RoleState, never>(NONE, active))).toThrow(code('too-many-roles'));
    checkRole({ roles: 100 }, changed<RoleState, never>(active, active));
  });

  it('cannot be deleted while they are held', () => {
    requireNotHeld('clerk', false);
    expect(() => requireNotHeld('clerk', true)).toThrow(code('role-in-use'));
  });
});

it('grants to one principal are at most two hundred; they can always be revoked', () => {
  const granted = { status: 'active' } as GrantState;
  checkGrant({ grants: 199 }, changed<GrantState, never>(NONE, granted));
  expect(() => checkGrant({ grants: 200 }, changed<GrantState, never>(NONE, granted))).toThrow(code('too-many-grants'));
  checkGrant({ grants: 200 }, changed<GrantState, never>(granted, NONE));
});

describe('groups', () => {
  const ref = { ...TENANT, groupId: 'desk' };
  const active: GroupState = { status: 'active', name: 'Desk', createdAt: 1, parts: { user: [], role: [], group: [] } };
  const facts = { groups: 0, otherParts: 0, nesting: [] };
  const added = (part: GroupPart, id: string): Changed<GroupState, GroupEvent> =>
    changed<GroupState, GroupEvent>(active, active, [{ type: 'group.part-added', data: { ...ref, part, id } }]);

  it('are at most five hundred in a tenant', () => {
    const created = changed<GroupState, GroupEvent>(NONE, active);
    checkGroup({ ...facts, groups: 499 }, created, ref);
    expect(() => checkGroup({ ...facts, groups: 500 }, created, ref)).toThrow(code('too-many-groups'));
    checkGroup({ ...facts, groups: 500 }, added('user', 'usr_1'), ref);
  });

  it.each([
    ['user', 10_000],
    ['role', 20],
    ['group', 50],
  ] as const)('have a limit for each kind of part: %s', (part, most) => {
    checkGroup({ ...facts, otherParts: most - 1 }, added(part, 'x'), ref);
    expect(() => checkGroup({ ...facts, otherParts: most }, added(part, 'x'), ref)).toThrow(code('group-full'));
  });

  it('cannot contain themselves', () => {
    const nesting = [{ groupId: 'inner', childId: 'desk' }];
    expect(() => checkGroup({ ...facts, nesting }, added('group', 'inner'), ref)).toThrow(code('group-cycle'));
    checkGroup({ ...facts, nesting }, added('group', 'other'), ref);
  });
});

describe('members', () => {
  const ref = { ...TENANT, userId: 'usr_1' };
  const OWNER: RoleAssignment = { roleId: 'owner', scope: '' };
  const active: MemberState = { status: 'active', roles: [], createdAt: 1 };
  const roles = (count: number): RoleAssignment[] =>
    Array.from({ length: count }, (_, i) => ({ roleId: `role-${i}`, scope: '' }));
  const role = (type: 'member.role-assigned' | 'member.role-removed', one: RoleAssignment): MemberEvent => ({
    type,
    data: { ...ref, ...one },
  });
  const facts = { live: [], active: true, others: { all: 0, active: 0 } };
  const check = (live: RoleAssignment[], state: MemberState, events: MemberEvent[], others = facts.others): void =>
    checkMember({ ...facts, live, others }, changed<MemberState, MemberEvent>(active, state, events), ref);

  it('have at most twenty live roles; one can be replaced by another', () => {
    const [first] = roles(1);
    check(roles(19), active, [role('member.role-assigned', OWNER)]);
    const oneMore = () => check(roles(20), active, [role('member.role-assigned', OWNER)]);
    expect(oneMore).toThrow(code('too-many-roles'));
    check(roles(20), active, [role('member.role-removed', first!), role('member.role-assigned', OWNER)]);
    check(roles(20), active, [role('member.role-assigned', first!)]);
  });

  it('cannot lose the last owner, neither by the role nor by the membership', () => {
    const removed: MemberState = { status: 'none', reason: 'requested' };
    const taken = [role('member.role-removed', OWNER)];
    expect(() => check([OWNER], active, taken)).toThrow(code('last-holder'));
    expect(() => check([OWNER], removed, [])).toThrow(code('last-holder'));
    check([OWNER], active, taken, { all: 1, active: 1 });
    check(roles(1), removed, []);
    check([OWNER], { status: 'none', reason: 'tenant-deleted' }, []);
  });

  it('can take the role from the last owner and give it again in one change', () => {
    const again = [role('member.role-removed', OWNER), role('member.role-assigned', OWNER)];
    expect(() => check([OWNER], active, again)).not.toThrow();
  });
});
