import { serializedLog, type Aggregate, type Changed } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { authzError } from './authz-errors.js';
import { predefinedRole } from './predefined-roles.js';

/** A role of a tenant; in `$system`, a system-wide one. */
export interface RoleRef {
  readonly tenantId: string;
  /** The life of the tenant: what held in an earlier one does not hold in the next. */
  readonly tenantUid: string;
  readonly roleId: string;
}

export interface RoleSettings {
  readonly name: string;
  readonly description: string | null;
  /** Each written out: a role does not gain actions that are invented later. */
  readonly actions: readonly string[];
}

export type RoleEvent =
  | { type: 'role.created'; data: RoleRef & RoleSettings }
  | { type: 'role.changed'; data: RoleRef & RoleSettings }
  | { type: 'role.deleted'; data: RoleRef };

export type RoleState =
  { readonly status: 'none' } | ({ readonly status: 'active'; readonly createdAt: number } & RoleSettings);

export interface RoleFacts {
  /** Of the tenant's own, before the change. */
  readonly roles: number;
}

/** All roles of a tenant are read when a decision is compiled. */
const ROLES_MAX = 100;

export const roleAggregate: Aggregate<RoleState, RoleEvent, RoleRef, RoleFacts> = {
  topicUid: serializedLog('permissions'),
  eventTypes: { 'role.created': { version: 1 }, 'role.changed': { version: 1 }, 'role.deleted': { version: 1 } },
  initial: { status: 'none' },
  streamOf: ({ tenantUid, roleId }) => `role/${tenantUid}/${roleId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, roleId }) =>
    tenantId.startsWith('$') ? `roles/${roleId}` : `tenants/${tenantId}/roles/${roleId}`,
  evolve(state, { type, data }, { recordedAt }): RoleState {
    if (type === 'role.deleted') return { status: 'none' };
    const { name, description, actions } = data;
    const createdAt = state.status === 'active' ? state.createdAt : recordedAt;
    return { status: 'active', name, description, actions, createdAt };
  },
  check: checkRole,
};

export function checkRole({ roles }: RoleFacts, { before, state }: Changed<RoleState>): void {
  if (before.status === 'none' && state.status === 'active' && roles >= ROLES_MAX)
    throw authzError('too-many-roles', `A tenant may have ${ROLES_MAX} roles of its own.`);
}

/** Of a role that is deleted: whether any member or group holds it. */
export function requireNotHeld(roleId: string, held: boolean): void {
  if (held) throw authzError('role-in-use', `Role "${roleId}" is held by members or groups.`);
}

export function createRole(state: RoleState, ref: RoleRef, settings: RoleSettings): RoleEvent[] {
  if (!isChosenId(ref.roleId)) throw authzError('role-id-invalid', `"${ref.roleId}" is no valid role id.`);
  if (state.status === 'active' || predefinedRole(ref.roleId))
    throw authzError('role-exists', `Role "${ref.roleId}" exists.`);
  return [{ type: 'role.created', data: { ...ref, ...settings } }];
}

export function changeRole(state: RoleState, ref: RoleRef, change: Partial<RoleSettings>): RoleEvent[] {
  const { name, description, actions } = existing(state, ref);
  const changed = { name, description, actions, ...change };
  return JSON.stringify(changed) === JSON.stringify({ name, description, actions })
    ? []
    : [{ type: 'role.changed', data: { ...ref, ...changed } }];
}

export function deleteRole(state: RoleState, ref: RoleRef): RoleEvent[] {
  existing(state, ref);
  return [{ type: 'role.deleted', data: { ...ref } }];
}

function existing(state: RoleState, ref: RoleRef): RoleState & { status: 'active' } {
  if (predefinedRole(ref.roleId)) throw authzError('role-predefined', `Role "${ref.roleId}" is predefined and stays.`);
  if (state.status === 'none') throw roleNotFound(ref.roleId);
  return state;
}

export const roleNotFound = (roleId: string): Error => authzError('role-not-found', `There is no role "${roleId}".`);
