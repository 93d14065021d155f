import type { Actor } from '../../../kernel/aggregate.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { NamespaceRef } from '../domain/namespace.js';

/** One life of a tenant id, which may be used again after a deletion. */
export interface TenantLife {
  readonly tenantId: string;
  readonly tenantUid: string;
}

/** What a context does when a tenant begins and when it ends; each listens to what concerns it. */
export interface TenantLifecycleListener {
  /** Before anything is written: throws where this user cannot be the first owner of a tenant. */
  requireOwner(userId: string): Promise<void>;
  /** Idempotent: called again after a crash. The first of these users who still exists becomes the first owner. */
  began(tenant: TenantLife, owners: readonly string[], by: Actor): Promise<void>;
  /** In the transaction that deletes the tenant. */
  ended(sql: Sql, tenantId: string): Promise<void>;
  /** In the transaction that deletes a namespace. */
  namespaceEnded(sql: Sql, namespace: NamespaceRef): Promise<void>;
}

/** Contexts that come later in the order, and act when tenants begin or end, register themselves here. */
export class TenantLifecycle {
  private readonly listeners: Partial<TenantLifecycleListener>[] = [];

  register(listener: Partial<TenantLifecycleListener>): void {
    this.listeners.push(listener);
  }

  async requireOwner(userId: string): Promise<void> {
    for (const listener of this.listeners) await listener.requireOwner?.(userId);
  }

  async began(tenant: TenantLife, owners: readonly string[], by: Actor): Promise<void> {
    for (const listener of this.listeners) await listener.began?.(tenant, owners, by);
  }

  async ended(sql: Sql, tenantId: string): Promise<void> {
    for (const listener of this.listeners) await listener.ended?.(sql, tenantId);
  }

  async namespaceEnded(sql: Sql, namespace: NamespaceRef): Promise<void> {
    for (const listener of this.listeners) await listener.namespaceEnded?.(sql, namespace);
  }
}
