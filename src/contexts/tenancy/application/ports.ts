import { AggregateRepository } from '../../../platform/event-log/index.js';
import type { NamespaceEvent, NamespaceRef, NamespaceState } from '../domain/namespace.js';
import type { TenantEvent, TenantRef, TenantState } from '../domain/tenant.js';

export interface TenantView {
  readonly tenantId: string;
  readonly name: string;
  readonly state: 'active';
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
  abstract list(afterId: string, limit: number): Promise<TenantView[]>;
}

export abstract class NamespaceCatalog extends AggregateRepository<NamespaceState, NamespaceEvent, NamespaceRef> {
  abstract find(ref: NamespaceRef): Promise<NamespaceView | undefined>;
  abstract list(tenantId: string, afterId: string, limit: number): Promise<NamespaceView[]>;
}
