import { tenancyError } from './tenancy-errors.js';
import { tenantDeleting, tenantNotFound, type TenantStatus } from './tenant.js';

/** What is limited in number for a tenant. */
export type LimitedKind = 'namespaces' | 'topics' | 'consumers';

/** As the transaction that makes one more sees it, before it does. */
export interface TenantRoom {
  readonly status: TenantStatus;
  readonly held: number;
  /** Null: no limit. */
  readonly max: number | null;
}

/** Nothing is created in a tenant that is gone or being deleted. */
export function requireOpen(tenantId: string, status: TenantStatus | undefined): void {
  if (status === undefined) throw tenantNotFound(tenantId);
  if (status === 'deleting') throw tenantDeleting(tenantId);
}

/** The tenant has room for one more of the kind. A limit that was lowered below what exists removes nothing. */
export function requireRoom(tenantId: string, kind: LimitedKind, room: TenantRoom | undefined): void {
  if (!room) throw tenantNotFound(tenantId);
  const { status, held, max } = room;
  requireOpen(tenantId, status);
  if (max !== null && held >= max)
    throw tenancyError('tenant-limit-reached', `Tenant "${tenantId}" may have ${max} ${kind}.`);
}
