import { serializedLog, type Aggregate, type Changed } from '../../../kernel/aggregate.js';
import { authzError } from './authz-errors.js';

/** A grant of a tenant; in `$system`, a system-wide one. */
export interface GrantRef {
  readonly tenantId: string;
  /** The life of the tenant: what held in an earlier one does not hold in the next. */
  readonly tenantUid: string;
  readonly grantId: string;
}

export type PrincipalKind = 'user' | 'group' | 'role' | 'apiKey';

export interface GrantSettings {
  readonly principal: { readonly kind: PrincipalKind; readonly id: string };
  readonly effect: 'allow' | 'deny';
  /** Each written out. */
  readonly actions: readonly string[];
  readonly resource: string;
  /** As they were given, checked. */
  readonly constraints: object | null;
}

export type GrantEvent =
  | { type: 'grant.created'; data: GrantRef & GrantSettings }
  | { type: 'grant.revoked'; data: GrantRef & { principal: GrantSettings['principal'] } };

export type GrantState =
  { readonly status: 'none' } | ({ readonly status: 'active'; readonly createdAt: number } & GrantSettings);

export interface GrantFacts {
  /** Of the principal in the tenant, before the change. */
  readonly grants: number;
}

/** Per principal: all of its grants are compiled together. */
const GRANTS_MAX = 200;

export const grantAggregate: Aggregate<GrantState, GrantEvent, GrantRef, GrantFacts> = {
  topicUid: serializedLog('permissions'),
  eventTypes: { 'grant.created': { version: 1 }, 'grant.revoked': { version: 1 } },
  initial: { status: 'none' },
  streamOf: ({ tenantUid, grantId }) => `grant/${tenantUid}/${grantId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, grantId }) =>
    tenantId.startsWith('$') ? `permissions/${grantId}` : `tenants/${tenantId}/permissions/${grantId}`,
  evolve(_state, { type, data }, { recordedAt }): GrantState {
    if (type === 'grant.revoked') return { status: 'none' };
    const { principal, effect, actions, resource, constraints } = data;
    return { status: 'active', principal, effect, actions, resource, constraints, createdAt: recordedAt };
  },
  check: checkGrant,
};

export function checkGrant({ grants }: GrantFacts, { state }: Changed<GrantState>): void {
  if (state.status === 'active' && grants >= GRANTS_MAX)
    throw authzError('too-many-grants', `A principal may have ${GRANTS_MAX} grants in a tenant.`);
}

export const createGrant = (ref: GrantRef, settings: GrantSettings): GrantEvent[] => [
  { type: 'grant.created', data: { ...ref, ...settings } },
];

export function revokeGrant(state: GrantState, ref: GrantRef): GrantEvent[] {
  if (state.status === 'none') throw grantNotFound(ref.grantId);
  return [{ type: 'grant.revoked', data: { ...ref, principal: state.principal } }];
}

export const grantNotFound = (grantId: string): Error =>
  authzError('grant-not-found', `There is no grant "${grantId}".`);

/** The same for a key that does not exist and for one whose owner has nothing to do with the tenant. */
export const noKeyOfTenant = (keyId: string): Error =>
  authzError('grant-invalid', `"${keyId.slice(0, 100)}" is no API key of a user here.`, {
    errors: [{ pointer: '/principal/apiKey', detail: 'is no API key of a user who belongs to the tenant' }],
  });
