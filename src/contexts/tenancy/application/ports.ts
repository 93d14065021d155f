import type { Sql } from '../../../platform/postgres/database.js';
import { AggregateRepository } from '../../../platform/event-log/index.js';
import type { NamespaceEvent, NamespaceRef, NamespaceState } from '../domain/namespace.js';
import type { TenantEvent, TenantLimits, TenantRef, TenantState } from '../domain/tenant.js';

export interface TenantView {
  readonly tenantId: string;
  readonly tenantUid: string;
  readonly name: string;
  readonly state: 'active' | 'suspended';
  readonly reason: string | null;
  readonly limits: TenantLimits;
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
  /** Inside the transaction that has just made one more: throws where the tenant has more of the kind than it may have. */
  abstract requireRoom(sql: Sql, tenantId: string, kind: 'topics' | 'consumers'): Promise<void>;
}

export abstract class NamespaceCatalog extends AggregateRepository<NamespaceState, NamespaceEvent, NamespaceRef> {
  abstract find(ref: NamespaceRef): Promise<NamespaceView | undefined>;
  abstract list(tenantId: string, afterId: string, limit: number): Promise<NamespaceView[]>;
}
