import type { Sql } from '../../../platform/postgres/database.js';
import { AggregateRepository } from '../../../platform/event-log/index.js';
import type { Actor, Versioned } from '../../../kernel/aggregate.js';
import type {
  NamespaceEvent,
  NamespaceFacts,
  NamespaceLife,
  NamespaceRef,
  NamespaceState,
} from '../domain/namespace.js';
import {
  type TenantDefaults,
  type TenantEvent,
  type TenantFacts,
  type TenantRef,
  type TenantState,
  type TenantStatus,
} from '../domain/tenant.js';
import { requireOpen, type LimitedKind, type TenantRoom } from '../domain/tenant-room.js';
import type { TenantLimits } from '../domain/tenant-limits.js';

export interface TenantView {
  readonly tenantId: string;
  readonly tenantUid: string;
  readonly name: string;
  readonly state: TenantStatus;
  readonly reason: string | null;
  /** Its own. */
  readonly limits: TenantLimits;
  /** Those that apply. */
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
export abstract class TenantCatalog extends AggregateRepository<TenantState, TenantEvent, TenantRef, TenantFacts> {
  /** The view of the result of a change. */
  abstract viewOf(ref: TenantRef, changed: Versioned<TenantState>): TenantView;
  abstract find(tenantId: string): Promise<TenantView | undefined>;
  abstract list(afterId: string, limit: number, among?: readonly string[]): Promise<TenantView[]>;
  /** As a transaction sees it; undefined: there is no such tenant. */
  abstract stateWithin(sql: Sql, tenantId: string): Promise<TenantStatus | undefined>;
  /**
   * Inside a transaction that puts something into the tenant: throws where the tenant, or this life of it, is gone or being deleted. Its
   * deletion waits for the transaction, and finds what it has created.
   */
  async hold(sql: Sql, tenant: { readonly tenantId: string; readonly tenantUid?: string }): Promise<void> {
    requireOpen(tenant.tenantId, await this.heldState(sql, tenant));
  }
  /** As `hold`, for callers that decide themselves. */
  abstract heldState(
    sql: Sql,
    tenant: { readonly tenantId: string; readonly tenantUid?: string },
  ): Promise<TenantStatus | undefined>;
  /** Inside a transaction that is about to make one more, and holds the order of the kind. Undefined: there is no such tenant. */
  abstract room(sql: Sql, tenantId: string, kind: LimitedKind): Promise<TenantRoom | undefined>;
  /** Inside the transaction that makes or deletes one, which holds the order of the kind. */
  abstract count(sql: Sql, tenantId: string, kind: LimitedKind, change: 'made' | 'deleted'): Promise<void>;
}

export abstract class NamespaceCatalog extends AggregateRepository<
  NamespaceState,
  NamespaceEvent,
  NamespaceRef,
  NamespaceFacts
> {
  /**
   * Inside a transaction that puts something into the namespace: which life of it there is; undefined: none. Its deletion waits
   * for the transaction, and finds what it has created.
   */
  abstract hold(sql: Sql, ref: NamespaceRef): Promise<string | undefined>;
  abstract find(ref: NamespaceRef): Promise<NamespaceView | undefined>;
  abstract list(tenantId: string, afterId: string, limit: number): Promise<NamespaceView[]>;
  abstract count(tenantId: string): Promise<number>;
  /** Some of a tenant that ends by this deletion; none of a later one. */
  abstract ending(tenantId: string, deletionId: string, limit: number): Promise<NamespaceLife[]>;
}

/** A tenant while this deletion of it runs. */
export interface EndingTenant {
  readonly tenantId: string;
  readonly deletionId: string;
}

/** A kind of thing that namespaces hold. */
export interface NamespaceContentProvider {
  /** In the transaction that deletes the namespace, to which nothing new can be added any more. */
  any(sql: Sql, namespace: NamespaceRef): Promise<boolean>;
  /** Removes what belongs to this life of the namespace. Idempotent. */
  remove(namespace: NamespaceLife, by: Actor): Promise<void>;
  /** How many there are in all namespaces of a tenant, with what must still be removed of deleted ones. */
  count(tenantId: string): Promise<number>;
  /**
   * Removes those of a tenant that ends, to the last row, and what deleted namespaces have left. Idempotent; a later tenant with the same id
   * is not touched. Rejects when it is aborted.
   */
  clear(tenant: EndingTenant, by: Actor, signal: AbortSignal): Promise<void>;
}

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
