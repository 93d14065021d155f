import { serializedLog, type Aggregate, type Changed } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import type { RetryPolicy } from '../../../kernel/retry-policy.js';
import { tenancyError } from './tenancy-errors.js';
import { NO_LIMITS, type TenantLimits } from './tenant-limits.js';

export interface TenantRef {
  readonly tenantId: string;
}

/** What consumers get, when they are registered, where they set nothing themselves; null: the default of the product. */
export interface TenantDefaults {
  /** The fields that differ from those of the product. */
  readonly retry: Partial<RetryPolicy> | null;
  readonly timeoutMs: number | null;
}

export const NO_DEFAULTS: TenantDefaults = { retry: null, timeoutMs: null };

/** A merge patch (RFC 7396): what is missing stays, null removes. */
export interface DefaultsPatch {
  readonly retry?: Partial<RetryPolicy> | null;
  readonly timeoutMs?: number | null;
}

export interface TenantSettings {
  readonly name: string;
  readonly limits: TenantLimits;
  readonly defaults: TenantDefaults;
}

/** The job that removes a tenant with all that it holds. */
export interface DeletionStart {
  readonly deletionId: string;
  /** The user whose rights were used. */
  readonly startedBy: string | null;
}

export type TenantStatus = 'active' | 'suspended' | 'deleting';

export type TenantEvent =
  | { type: 'tenant.created'; data: Founding }
  | { type: 'tenant.renamed'; data: { name: string } }
  | { type: 'tenant.limited'; data: { limits: TenantLimits } }
  | { type: 'tenant.defaults-changed'; data: { defaults: TenantDefaults } }
  | { type: 'tenant.suspended'; data: { reason: string | null } }
  | { type: 'tenant.activated'; data: Record<string, never> }
  | { type: 'tenant.deletion-started'; data: DeletionStart }
  | { type: 'tenant.deleted'; data: Record<string, never> };

export interface Founding {
  readonly name: string;
  readonly tenantUid: string;
  /** The user who created it. */
  readonly founder: string | null;
  /** The user who becomes its first owner; mostly the founder. */
  readonly owner: string | null;
  readonly defaults: TenantDefaults;
}

export type TenantState =
  | { readonly status: 'none' }
  | ({
      readonly status: TenantStatus;
      readonly tenantUid: string;
      readonly reason: string | null;
      /** Of a tenant that is being deleted. */
      readonly deletion: DeletionStart | null;
      readonly createdAt: number;
    } & TenantSettings);

/** `$system` has one life, which no event started. */
export const SYSTEM_TENANT_UID = '00000000-0000-0000-0000-000000000000';

/** What prevents the deletion of a tenant: read when it is deleted. */
export interface TenantFacts {
  readonly holdsNamespaces: boolean;
}

export const tenantAggregate: Aggregate<TenantState, TenantEvent, TenantRef, TenantFacts> = {
  topicUid: serializedLog('tenants'),
  eventTypes: {
    'tenant.created': { version: 1 },
    'tenant.renamed': { version: 1 },
    'tenant.limited': { version: 1 },
    'tenant.defaults-changed': { version: 1 },
    'tenant.suspended': { version: 1 },
    'tenant.activated': { version: 1 },
    'tenant.deletion-started': { version: 1 },
    'tenant.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantId }) => tenantId,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId }) => `tenants/${tenantId}`,
  evolve(state, { type, data }, { recordedAt }): TenantState {
    if (type === 'tenant.created') {
      const { name, tenantUid, defaults } = data;
      const settings = { name, limits: NO_LIMITS, defaults };
      return { status: 'active', tenantUid, reason: null, deletion: null, ...settings, createdAt: recordedAt };
    }
    if (type === 'tenant.deleted' || state.status === 'none') return { status: 'none' };
    switch (type) {
      case 'tenant.renamed':
        return { ...state, name: data.name };
      case 'tenant.limited':
        return { ...state, limits: data.limits };
      case 'tenant.defaults-changed':
        return { ...state, defaults: data.defaults };
      case 'tenant.suspended':
        return { ...state, status: 'suspended', reason: data.reason };
      case 'tenant.activated':
        return { ...state, status: 'active', reason: null };
      case 'tenant.deletion-started':
        return { ...state, status: 'deleting', reason: null, deletion: data };
      default:
        return state;
    }
  },
  check: requireEmptyOnDeletion,
};

function requireEmptyOnDeletion(
  { holdsNamespaces }: TenantFacts,
  { state }: Changed<TenantState>,
  { tenantId }: TenantRef,
): void {
  if (state.status === 'none' && holdsNamespaces)
    throw tenancyError('tenant-not-empty', `Tenant "${tenantId}" holds namespaces; delete them or use ?force=true.`);
}

/** The users who may become the first owner, in this order: where the owner is gone by then, it is the founder. */
export const firstOwners = ({ owner, founder }: Founding): string[] => [
  ...new Set([owner, founder].filter((userId) => userId !== null)),
];

/** An id is free again once its tenant is deleted; the uid is new for each life of it. */
export function createTenant(
  state: TenantState,
  { tenantId }: TenantRef,
  founding: Founding,
  limits: Partial<TenantLimits> = {},
): TenantEvent[] {
  if (!isChosenId(tenantId)) throw tenancyError('id-invalid', `"${tenantId}" is no valid id.`);
  if (state.status !== 'none') throw tenancyError('tenant-exists', `Tenant "${tenantId}" exists.`);
  return [{ type: 'tenant.created', data: founding }, ...limited(NO_LIMITS, limits)];
}

export interface TenantChange {
  readonly name?: string;
  readonly limits?: Partial<TenantLimits>;
  readonly defaults?: DefaultsPatch | null;
}

/** Undefined fields stay as they are. */
export function configureTenant(
  state: TenantState,
  ref: TenantRef,
  { name, limits, defaults }: TenantChange,
): TenantEvent[] {
  const tenant = requireNotDeleting(state, ref);
  const events: TenantEvent[] = [];
  if (name !== undefined && name !== tenant.name) events.push({ type: 'tenant.renamed', data: { name } });
  events.push(...limited(tenant.limits, limits));
  const merged = mergeDefaults(tenant.defaults, defaults);
  if (JSON.stringify(merged) !== JSON.stringify(tenant.defaults))
    events.push({ type: 'tenant.defaults-changed', data: { defaults: merged } });
  return events;
}

function limited(before: TenantLimits, change: Partial<TenantLimits> | undefined): TenantEvent[] {
  const limits = { ...before, ...change };
  const changed = Object.entries(limits).some(([key, value]) => before[key as keyof TenantLimits] !== value);
  return changed ? [{ type: 'tenant.limited', data: { limits } }] : [];
}

export function mergeDefaults(defaults: TenantDefaults, patch: DefaultsPatch | null | undefined): TenantDefaults {
  if (patch === undefined) return defaults;
  if (patch === null) return NO_DEFAULTS;
  const { retry = defaults.retry, timeoutMs = defaults.timeoutMs } = patch;
  return { retry: retry && { ...defaults.retry, ...retry }, timeoutMs };
}

export function suspendTenant(state: TenantState, ref: TenantRef, reason: string | null): TenantEvent[] {
  return requireNotDeleting(state, ref).status === 'suspended' ? [] : [{ type: 'tenant.suspended', data: { reason } }];
}

export function activateTenant(state: TenantState, ref: TenantRef): TenantEvent[] {
  return requireNotDeleting(state, ref).status === 'active' ? [] : [{ type: 'tenant.activated', data: {} }];
}

/** At once: refused while the tenant holds anything. */
export function deleteTenant(state: TenantState, ref: TenantRef): TenantEvent[] {
  requireNotDeleting(state, ref);
  return [{ type: 'tenant.deleted', data: {} }];
}

/** Cannot be undone: the tenant is emptied, then deleted. Once: a second start changes nothing. */
export function startDeletion(state: TenantState, ref: TenantRef, start: DeletionStart): TenantEvent[] {
  return existing(state, ref).status === 'deleting' ? [] : [{ type: 'tenant.deletion-started', data: start }];
}

/** The last step of that deletion. Another instance may have done it, and the id may be in use again. */
export function finishDeletion(state: TenantState, deletionId: string): TenantEvent[] {
  if (state.status === 'none' || state.deletion?.deletionId !== deletionId) return [];
  return [{ type: 'tenant.deleted', data: {} }];
}

function existing(state: TenantState, { tenantId }: TenantRef): Exclude<TenantState, { status: 'none' }> {
  if (state.status === 'none') throw tenantNotFound(tenantId);
  return state;
}

function requireNotDeleting(state: TenantState, ref: TenantRef): Exclude<TenantState, { status: 'none' }> {
  const tenant = existing(state, ref);
  if (tenant.status === 'deleting') throw tenantDeleting(ref.tenantId);
  return tenant;
}

export const tenantNotFound = (tenantId: string): Error =>
  tenancyError('tenant-not-found', `There is no tenant "${tenantId}".`);

export const tenantSuspended = (tenantId: string): Error =>
  tenancyError('tenant-suspended', `Tenant "${tenantId}" is suspended.`);

export const reservedBySystem = (): Error => tenancyError('reserved-by-system', 'The system tenant cannot be changed.');

export const tenantDeleting = (tenantId: string): Error =>
  tenancyError('tenant-deleting', `Tenant "${tenantId}" is being deleted.`);
