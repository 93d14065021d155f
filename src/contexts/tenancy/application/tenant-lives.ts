import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS, systemActor, type Actor } from '../../../kernel/aggregate.js';
import { Clock, waitAfter } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { toDomainEvent, type Reaction, type StoredEvent } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { NamespaceRef } from '../domain/namespace.js';
import { firstOwners, tenantAggregate } from '../domain/tenant.js';

const HANDLER_MS = 2_000;
const ENDED = new Set(['tenant-not-found', 'tenant-deleting']);

export interface TenantLife {
  readonly tenantId: string;
  readonly tenantUid: string;
}

/** What a context does when a tenant begins and when it ends. */
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
  private readonly witnesses: TenantWitness[] = [];

  register(witness: TenantWitness): void {
    this.witnesses.push(witness);
  }

  async requireOwner(userId: string): Promise<void> {
    for (const witness of this.witnesses) await witness.requireOwner(userId);
  }

  async began(tenant: TenantLife, owners: readonly string[], by: Actor): Promise<void> {
    for (const witness of this.witnesses) await witness.began(tenant, owners, by);
  }

  async ended(sql: Sql, tenantId: string): Promise<void> {
    for (const witness of this.witnesses) await witness.ended(sql, tenantId);
  }

  async namespaceEnded(sql: Sql, namespace: NamespaceRef): Promise<void> {
    for (const witness of this.witnesses) await witness.namespaceEnded(sql, namespace);
  }
}

/** Does what a crash between the creation of a tenant and the membership of its founder has left. */
@Injectable()
export class OnTenantCreated implements Reaction {
  readonly name = 'tenancy:on-tenant-created';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.tenants };

  constructor(
    private readonly lives: TenantLives,
    private readonly clock: Clock,
  ) {}

  handle = async (stored: StoredEvent, signal: AbortSignal): Promise<void> => {
    const { type, data } = toDomainEvent(tenantAggregate, stored);
    if (type !== 'tenant.created') return;
    // The handler does it itself a moment later, and puts on record who did; it is only made good where that never came.
    await pause(waitAfter(stored.recordedAt, HANDLER_MS, this.clock.now()), undefined, { signal });
    const tenant = { tenantId: stored.stream!, tenantUid: data.tenantUid };
    const by = systemActor(stored.correlationId ?? stored.id);
    await this.lives.began(tenant, firstOwners(data), by).catch(unlessItEnded);
  };
}

/** A life that is over, or ends, needs no beginning any more. */
function unlessItEnded(error: unknown): void {
  if (error instanceof DomainError && ENDED.has(error.code)) return;
  throw error;
}
