import type { Sql } from '../../../platform/postgres/database.js';
import { AggregateRepository } from '../../../platform/event-log/index.js';
import type { NamespaceEvent, NamespaceLife, NamespaceRef, NamespaceState } from '../domain/namespace.js';
import type { TenantDefaults, TenantEvent, TenantRef, TenantState, TenantStatus } from '../domain/tenant.js';
import type { TenantLimits } from '../domain/tenant-limits.js';

/** What a tenant may have so many of. */
export type LimitedKind = 'namespaces' | 'topics' | 'consumers';

export interface TenantView {
  readonly tenantId: string;
  readonly tenantUid: string;
  readonly name: string;
  readonly state: TenantStatus;
  readonly reason: string | null;
  /** Its own. */
  readonly limits: TenantLimits;
  /** Those that hold. */
  readonly effectiveLimits: TenantLimits;
  readonly defaults: TenantDefaults;
  /** Of a tenant that is being deleted. */
  readonly deletionId: string | null;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface NamespaceView {
  readonly tenantId: string;
  readonly namespaceId: string;
  readonly name: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Tenants as queries see them. Lists are in order of ids and begin after `afterId`. */
export abstract class TenantCatalog extends AggregateRepository<TenantState, TenantEvent, TenantRef> {
  abstract find(tenantId: string): Promise<TenantView | undefined>;
  abstract list(afterId: string, limit: number, among?: readonly string[]): Promise<TenantView[]>;
  /** As a transaction sees it; undefined: there is no such tenant. */
  abstract stateWithin(sql: Sql, tenantId: string): Promise<TenantStatus | undefined>;
  /**
   * Inside a transaction that puts something into the tenant: throws where the tenant, or this life of it, is gone or going. Its end
   * waits for the transaction, and finds what it has made.
   */
  abstract hold(sql: Sql, tenant: { readonly tenantId: string; readonly tenantUid?: string }): Promise<void>;
  /** Inside the transaction that has just made one more: throws where the tenant takes none, or has more of the kind than it may have. */
  abstract requireRoom(sql: Sql, tenantId: string, kind: LimitedKind): Promise<void>;
}

export abstract class NamespaceCatalog extends AggregateRepository<NamespaceState, NamespaceEvent, NamespaceRef> {
  abstract find(ref: NamespaceRef): Promise<NamespaceView | undefined>;
  abstract list(tenantId: string, afterId: string, limit: number): Promise<NamespaceView[]>;
  abstract count(tenantId: string): Promise<number>;
  /** Some of a tenant that ends by this deletion; none of a younger one. */
  abstract ending(tenantId: string, deletionId: string, limit: number): Promise<NamespaceLife[]>;
}
