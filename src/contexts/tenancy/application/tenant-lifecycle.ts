import type { Actor } from '../../../kernel/aggregate.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { NamespaceRef } from '../domain/namespace.js';
import type { TenantLife, TenantLifecycleListener } from './ports.js';

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
