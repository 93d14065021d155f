import { ACTIONS, type Action } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';

export interface PredefinedRole {
  readonly roleId: string;
  readonly scope: 'tenant' | 'system';
  readonly name: string;
  readonly description: string;
  readonly actions: readonly Action[];
}

const SYSTEM_ONLY = /^(tenant:(create|suspend|limit)|user:|metrics:|health:|system:)/;
const LOOK: readonly Action[] = ['tenant:read', 'namespace:read', 'topic:read', 'consumer:read'];
const LOOK_AT_PEOPLE: readonly Action[] = ['member:read', 'role:read', 'group:read', 'permission:read'];

const ALL_OF_A_TENANT = ACTIONS.filter((action) => !SYSTEM_ONLY.test(action));

/** Immutable: what a role holds changes with a release only, and the changelog says so. */
export const PREDEFINED_ROLES: readonly PredefinedRole[] = [
  tenantRole('owner', 'Everything in the tenant, its deletion included.', ALL_OF_A_TENANT),
  tenantRole(
    'admin',
    'Everything in the tenant but its deletion.',
    ALL_OF_A_TENANT.filter((action) => action !== 'tenant:delete'),
  ),
  tenantRole('developer', 'Topics, events and consumers.', [
    ...LOOK,
    'topic:create',
    'topic:update',
    'topic:delete',
    'event:publish',
    'event:read',
    'consumer:manage',
  ]),
  tenantRole('publisher', 'Publishes events.', ['tenant:read', 'namespace:read', 'topic:read', 'event:publish']),
  tenantRole('subscriber', 'Reads events and registers consumers.', [...LOOK, 'event:read', 'consumer:manage']),
  tenantRole('viewer', 'Sees everything, changes nothing.', [...LOOK, ...LOOK_AT_PEOPLE, 'event:read']),
  tenantRole('auditor', 'Sees who may do what and who did what; no events.', [
    ...LOOK,
    ...LOOK_AT_PEOPLE,
    'audit:read',
    'audit:export',
  ]),
  systemRole(
    'system-admin',
    'Manages everything in all tenants; their events only by a grant of at most an hour.',
    ACTIONS.filter((action) => !action.startsWith('event:')),
  ),
  systemRole('system-operator', 'Watches the installation and suspends tenants; no events, no grants.', [
    ...LOOK,
    'tenant:suspend',
    'metrics:read',
    'health:read',
    'system:read',
  ]),
  systemRole('system-auditor', 'Sees who may do what and who did what, in all tenants; no events.', [
    ...LOOK,
    ...LOOK_AT_PEOPLE,
    'user:read',
    'audit:read',
    'audit:export',
  ]),
];

const BY_ID = new Map(PREDEFINED_ROLES.map((role) => [role.roleId, role]));

export const predefinedRole = (roleId: string): PredefinedRole | undefined => BY_ID.get(roleId);

/** The role that must not be without a holder: `owner` in a tenant, `system-admin` in the system. */
export const topRole = (tenantId: string): string => (tenantId === SYSTEM_TENANT ? 'system-admin' : 'owner');

function tenantRole(roleId: string, description: string, actions: readonly Action[]): PredefinedRole {
  return { roleId, scope: 'tenant', name: roleId[0]!.toUpperCase() + roleId.slice(1), description, actions };
}

function systemRole(roleId: string, description: string, actions: readonly Action[]): PredefinedRole {
  const name = roleId.replace('system-', 'System ');
  return { roleId, scope: 'system', name, description, actions };
}
