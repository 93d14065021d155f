import { MANAGEMENT_TOPICS, type Aggregate } from '../../../kernel/aggregate.js';
import { isChosenId } from '../../../kernel/ids.js';
import { tenancyError } from './tenancy-errors.js';

export interface TenantRef {
  readonly tenantId: string;
}

export type TenantEvent =
  | { type: 'tenant.created'; data: { name: string } }
  | { type: 'tenant.renamed'; data: { name: string } }
  | { type: 'tenant.deleted'; data: Record<string, never> };

export type TenantState =
  { readonly status: 'none' } | { readonly status: 'active'; readonly name: string; readonly createdAt: number };

export const tenantAggregate: Aggregate<TenantState, TenantEvent, TenantRef> = {
  topicUid: MANAGEMENT_TOPICS.tenants,
  eventTypes: { 'tenant.created': { version: 1 }, 'tenant.renamed': { version: 1 }, 'tenant.deleted': { version: 1 } },
  initial: { status: 'none' },
  streamOf: ({ tenantId }) => tenantId,
  tenantOf: ({ tenantId }) => tenantId,
  evolve(state, event, { recordedAt }): TenantState {
    switch (event.type) {
      case 'tenant.created':
        return { status: 'active', name: event.data.name, createdAt: recordedAt };
      case 'tenant.renamed':
        return state.status === 'active' ? { ...state, name: event.data.name } : state;
      case 'tenant.deleted':
        return { status: 'none' };
      default:
        return state;
    }
  },
};

/** An id is free again once its tenant is deleted. */
export function createTenant(state: TenantState, { tenantId }: TenantRef, name: string): TenantEvent[] {
  if (!isChosenId(tenantId)) throw tenancyError('id-invalid', `"${tenantId}" is no valid id.`);
  if (state.status !== 'none') throw tenancyError('tenant-exists', `Tenant "${tenantId}" exists.`);
  return [{ type: 'tenant.created', data: { name } }];
}

export function renameTenant(state: TenantState, { tenantId }: TenantRef, name: string): TenantEvent[] {
  if (state.status !== 'active') throw tenantNotFound(tenantId);
  return state.name === name ? [] : [{ type: 'tenant.renamed', data: { name } }];
}

export function deleteTenant(state: TenantState, { tenantId }: TenantRef): TenantEvent[] {
  if (state.status !== 'active') throw tenantNotFound(tenantId);
  return [{ type: 'tenant.deleted', data: {} }];
}

export const tenantNotFound = (tenantId: string): Error =>
  tenancyError('tenant-not-found', `There is no tenant "${tenantId}".`);
