import { MANAGEMENT_TOPICS, type Aggregate } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { tenancyError } from './tenancy-errors.js';

export interface TenantRef {
  readonly tenantId: string;
}

/** What a tenant may use; null: no limit of its own. */
export interface TenantLimits {
  readonly topics: number | null;
  readonly consumers: number | null;
  /** Events a second that one instance takes, in bursts of up to as many. */
  readonly eventsPerSecond: number | null;
  /** Of all its topics together: payloads and metadata. */
  readonly storageBytes: number | null;
}

export const NO_LIMITS: TenantLimits = { topics: null, consumers: null, eventsPerSecond: null, storageBytes: null };

export interface TenantSettings {
  readonly name: string;
  readonly limits: TenantLimits;
}

export type TenantEvent =
  | { type: 'tenant.created'; data: { name: string; tenantUid: string; founder: string | null } }
  | { type: 'tenant.renamed'; data: { name: string } }
  | { type: 'tenant.limited'; data: { limits: TenantLimits } }
  | { type: 'tenant.suspended'; data: { reason: string | null } }
  | { type: 'tenant.activated'; data: Record<string, never> }
  | { type: 'tenant.deleted'; data: Record<string, never> };

export type TenantState =
  | { readonly status: 'none' }
  | ({
      readonly status: 'active' | 'suspended';
      readonly tenantUid: string;
      readonly reason: string | null;
      readonly createdAt: number;
    } & TenantSettings);

/** The life of tenants of events in version 1, which did not name it, and of `$system`. */
export const UNNAMED_LIFE = '00000000-0000-0000-0000-000000000000';

export const tenantAggregate: Aggregate<TenantState, TenantEvent, TenantRef> = {
  topicUid: MANAGEMENT_TOPICS.tenants,
  eventTypes: {
    'tenant.created': { version: 2, upcast: (data) => ({ tenantUid: UNNAMED_LIFE, founder: null, ...data }) },
    'tenant.renamed': { version: 1 },
    'tenant.limited': { version: 1 },
    'tenant.suspended': { version: 1 },
    'tenant.activated': { version: 1 },
    'tenant.deleted': { version: 1 },
  },
  initial: { status: 'none' },
  streamOf: ({ tenantId }) => tenantId,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId }) => `tenants/${tenantId}`,
  evolve(state, { type, data }, { recordedAt }): TenantState {
    if (type === 'tenant.created') {
      const { name, tenantUid } = data;
      return { status: 'active', tenantUid, reason: null, name, limits: NO_LIMITS, createdAt: recordedAt };
    }
    if (type === 'tenant.deleted' || state.status === 'none') return { status: 'none' };
    switch (type) {
      case 'tenant.renamed':
        return { ...state, name: data.name };
      case 'tenant.limited':
        return { ...state, limits: data.limits };
      case 'tenant.suspended':
        return { ...state, status: 'suspended', reason: data.reason };
      case 'tenant.activated':
        return { ...state, status: 'active', reason: null };
      default:
        return state;
    }
  },
};

/** An id is free again once its tenant is deleted; the uid is new for each life of it. The founder is the user who becomes its first owner. */
export function createTenant(
  state: TenantState,
  { tenantId }: TenantRef,
  founding: { readonly name: string; readonly tenantUid: string; readonly founder: string | null },
): TenantEvent[] {
  if (!isChosenId(tenantId)) throw tenancyError('id-invalid', `"${tenantId}" is no valid id.`);
  if (state.status !== 'none') throw tenancyError('tenant-exists', `Tenant "${tenantId}" exists.`);
  return [{ type: 'tenant.created', data: founding }];
}

/** Undefined fields stay as they are. */
export function configureTenant(
  state: TenantState,
  ref: TenantRef,
  { name, limits }: { readonly name?: string; readonly limits?: Partial<TenantLimits> },
): TenantEvent[] {
  const tenant = existing(state, ref);
  const events: TenantEvent[] = [];
  if (name !== undefined && name !== tenant.name) events.push({ type: 'tenant.renamed', data: { name } });
  const wanted = { ...tenant.limits, ...limits };
  const changed = Object.entries(wanted).some(([key, value]) => tenant.limits[key as keyof TenantLimits] !== value);
  if (changed) events.push({ type: 'tenant.limited', data: { limits: wanted } });
  return events;
}

export function suspendTenant(state: TenantState, ref: TenantRef, reason: string | null): TenantEvent[] {
  return existing(state, ref).status === 'suspended' ? [] : [{ type: 'tenant.suspended', data: { reason } }];
}

export function activateTenant(state: TenantState, ref: TenantRef): TenantEvent[] {
  return existing(state, ref).status === 'active' ? [] : [{ type: 'tenant.activated', data: {} }];
}

export function deleteTenant(state: TenantState, ref: TenantRef): TenantEvent[] {
  existing(state, ref);
  return [{ type: 'tenant.deleted', data: {} }];
}

function existing(state: TenantState, { tenantId }: TenantRef): Exclude<TenantState, { status: 'none' }> {
  if (state.status === 'none') throw tenantNotFound(tenantId);
  return state;
}

export const tenantNotFound = (tenantId: string): Error =>
  tenancyError('tenant-not-found', `There is no tenant "${tenantId}".`);
