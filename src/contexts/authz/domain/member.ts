import { serializedLog, type Aggregate, type Changed } from '../../../kernel/aggregate.js';
import { authzError } from './authz-errors.js';
import { requireOtherHolder, type OtherHolders } from './last-administrator.js';
import { topRole } from './predefined-roles.js';

/** A user in a tenant; in `$system`, a holder of system roles. */
export interface MemberRef {
  readonly tenantId: string;
  /** The life of the tenant: what held in an earlier one does not hold in the next. */
  readonly tenantUid: string;
  readonly userId: string;
}

export interface RoleAssignment {
  readonly roleId: string;
  /** Where in the tenant: empty (everywhere), `namespaces/shop` or `namespaces/shop/topics/orders`. */
  readonly scope: string;
}

/** Why a member was removed: where the tenant or the user is deleted, no owner need remain. */
export type Removal = 'requested' | 'tenant-deleted' | 'user-deleted';

export type MemberEvent =
  | { type: 'member.added'; data: MemberRef }
  | { type: 'member.role-assigned'; data: MemberRef & RoleAssignment }
  | { type: 'member.role-removed'; data: MemberRef & RoleAssignment }
  | { type: 'member.removed'; data: MemberRef & { reason: Removal } };

export type MemberState =
  | { readonly status: 'none'; readonly reason?: Removal }
  | { readonly status: 'active'; readonly roles: readonly RoleAssignment[]; readonly createdAt: number };

/** All before the change. */
export interface MemberFacts {
  /** The roles that count: some that the events name have ended with the resource that they were given for. */
  readonly live: readonly RoleAssignment[];
  /** The user is not suspended. */
  readonly active: boolean;
  /** Of the role that the tenant must not be without. */
  readonly others: OtherHolders;
}

const ROLES_MAX = 20;

export const memberAggregate: Aggregate<MemberState, MemberEvent, MemberRef, MemberFacts> = {
  topicUid: serializedLog('permissions'),
  eventTypes: {
    'member.added': { version: 1 },
    'member.role-assigned': { version: 1 },
    'member.role-removed': { version: 1 },
    'member.removed': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantUid, userId }) => `member/${tenantUid}/${userId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, userId }) =>
    tenantId.startsWith('$') ? `users/${userId}` : `tenants/${tenantId}/members/${userId}`,
  evolve(state, { type, data }, { recordedAt }): MemberState {
    if (type === 'member.added') return { status: 'active', roles: [], createdAt: recordedAt };
    if (type === 'member.removed') return { status: 'none', reason: data.reason };
    if (state.status === 'none') return state;
    const others = state.roles.filter((role) => !sameAssignment(role, data));
    const { roleId, scope } = data;
    return { ...state, roles: type === 'member.role-assigned' ? [...others, { roleId, scope }] : others };
  },
  check: checkMember,
};

export function checkMember(
  { live, active, others }: MemberFacts,
  { state, events }: Changed<MemberState, MemberEvent>,
  { tenantId }: MemberRef,
): void {
  const after = state.status === 'none' ? [] : liveAfter(live, events);
  if (after.length > ROLES_MAX && events.some(({ type }) => type === 'member.role-assigned'))
    throw authzError('too-many-roles', `A member may have ${ROLES_MAX} roles.`);
  // A member who is removed with the tenant or the user need not leave an owner behind.
  if (state.status === 'none' && state.reason !== 'requested') return;
  const kept = { roleId: topRole(tenantId), scope: '' };
  if (isIn(live, kept) && !isIn(after, kept)) requireOtherHolder(tenantId, others, { active });
}

const liveAfter = (live: readonly RoleAssignment[], events: readonly MemberEvent[]): readonly RoleAssignment[] =>
  events.reduce((roles, { type, data }) => {
    if (type !== 'member.role-assigned' && type !== 'member.role-removed') return roles;
    const rest = roles.filter((role) => !sameAssignment(role, data));
    return type === 'member.role-assigned' ? [...rest, data] : rest;
  }, live);

export const sameAssignment = (a: RoleAssignment, b: RoleAssignment): boolean =>
  a.roleId === b.roleId && a.scope === b.scope;

export const hasRole = (state: MemberState, role: RoleAssignment): boolean => isIn(rolesOf(state), role);

/*
 * Each of these takes `live`, the roles that count: some that the events name have ended with the resource that they were given for, and are
 * given again by an event. Giving one twice does no harm.
 */

/** Makes a user a member with exactly these roles. */
export function setRoles(
  state: MemberState,
  ref: MemberRef,
  wanted: readonly RoleAssignment[],
  live: readonly RoleAssignment[] = rolesOf(state),
): MemberEvent[] {
  const held = rolesOf(state);
  const added: MemberEvent[] = state.status === 'active' ? [] : [{ type: 'member.added', data: { ...ref } }];
  const removed = held.filter((role) => !isIn(wanted, role));
  const assigned = wanted.filter((role) => !isIn(held, role) || !isIn(live, role));
  return [
    ...added,
    ...removed.map((role): MemberEvent => ({ type: 'member.role-removed', data: { ...ref, ...role } })),
    ...assigned.map((role): MemberEvent => ({ type: 'member.role-assigned', data: { ...ref, ...role } })),
  ];
}

/** Of a member: exactly these roles in the whole tenant, besides those that they have in parts of it. */
export function replaceRoles(
  state: MemberState,
  ref: MemberRef,
  wanted: readonly RoleAssignment[],
  live: readonly RoleAssignment[],
): MemberEvent[] {
  if (state.status === 'none') throw memberNotFound(ref.userId);
  const scoped = state.roles.filter(({ scope }) => scope !== '');
  return setRoles(state, ref, [...wanted, ...scoped], [...live, ...scoped]);
}

/** A user who gets a role becomes a member. */
export function addRoles(
  state: MemberState,
  ref: MemberRef,
  roles: readonly RoleAssignment[],
  live: readonly RoleAssignment[] = rolesOf(state),
): MemberEvent[] {
  const others = rolesOf(state).filter((role) => !isIn(roles, role));
  return setRoles(state, ref, [...others, ...roles], [...others, ...live]);
}

const rolesOf = (state: MemberState): readonly RoleAssignment[] => (state.status === 'active' ? state.roles : []);
export const isIn = (roles: readonly RoleAssignment[], role: RoleAssignment): boolean =>
  roles.some((other) => sameAssignment(role, other));

export function removeRole(state: MemberState, ref: MemberRef, role: RoleAssignment): MemberEvent[] {
  if (state.status === 'none') throw memberNotFound(ref.userId);
  return state.roles.some((other) => sameAssignment(role, other))
    ? [{ type: 'member.role-removed', data: { ...ref, ...role } }]
    : [];
}

export function removeMember(state: MemberState, ref: MemberRef, reason: Removal): MemberEvent[] {
  if (state.status === 'none') throw memberNotFound(ref.userId);
  return [{ type: 'member.removed', data: { ...ref, reason } }];
}

export const noSuchUser = (userId: string): Error => authzError('member-not-found', `There is no user "${userId}".`);

export const memberNotFound = (userId: string): Error =>
  authzError('member-not-found', `User "${userId}" is no member of the tenant.`);
