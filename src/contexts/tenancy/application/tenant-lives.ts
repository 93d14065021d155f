import type { Actor } from '../../../kernel/aggregate.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { NamespaceRef } from '../domain/namespace.js';

export interface TenantLife {
  readonly tenantId: string;
  readonly tenantUid: string;
}

/** What a context does when a tenant begins and when it ends; each listens to what concerns it. */
export interface TenantWitness {
  /** Before anything is written: throws where this user cannot be the first owner of a tenant. */
  requireOwner(userId: string): Promise<void>;
  /** Idempotent: comes again where a crash came between. The first of these users who is there becomes the first owner. */
  began(tenant: TenantLife, owners: readonly string[], by: Actor): Promise<void>;
  /** In the transaction that deletes the tenant. */
  ended(sql: Sql, tenantId: string): Promise<void>;
  /** In the transaction that deletes a namespace. */
  namespaceEnded(sql: Sql, namespace: NamespaceRef): Promise<void>;
}

/** Contexts that come later in the order, and have a part in the life of tenants, register themselves here. */
export class TenantLives {
  private readonly witnesses: Partial<TenantWitness>[] = [];

  register(witness: Partial<TenantWitness>): void {
    this.witnesses.push(witness);
  }

  async requireOwner(userId: string): Promise<void> {
    for (const witness of this.witnesses) await witness.requireOwner?.(userId);
  }

  async began(tenant: TenantLife, owners: readonly string[], by: Actor): Promise<void> {
    for (const witness of this.witnesses) await witness.began?.(tenant, owners, by);
  }

  async ended(sql: Sql, tenantId: string): Promise<void> {
    for (const witness of this.witnesses) await witness.ended?.(sql, tenantId);
  }

  async namespaceEnded(sql: Sql, namespace: NamespaceRef): Promise<void> {
    for (const witness of this.witnesses) await witness.namespaceEnded?.(sql, namespace);
  }
}
