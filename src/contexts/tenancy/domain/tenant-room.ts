import { tenancyError } from './tenancy-errors.js';
import { tenantDeleting, tenantNotFound, type TenantStatus } from './tenant.js';

/** What a tenant may have so many of. */
export type LimitedKind = 'namespaces' | 'topics' | 'consumers';

/** As the transaction that makes one more sees it, before it does. */
export interface TenantRoom {
  readonly status: TenantStatus;
  readonly held: number;
  /** Null: no limit. */
  readonly max: number | null;
}

/** Nothing comes into a tenant that is gone or going. */
export function requireOpen(tenantId: string, status: TenantStatus | undefined): void {
  if (status === undefined) throw tenantNotFound(tenantId);
  if (status === 'deleting') throw tenantDeleting(tenantId);
}

/** One more of the kind has room in the tenant. A limit that was lowered below what is there takes nothing away. */
export function requireRoom(tenantId: string, kind: LimitedKind, room: TenantRoom | undefined): void {
  if (!room) throw tenantNotFound(tenantId);
  const { status, held, max } = room;
  requireOpen(tenantId, status);
  if (max !== null && held >= max)
    throw tenancyError('tenant-limit-reached', `Tenant "${tenantId}" may have ${max} ${kind}.`);
}
