import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { ManagementWatch } from '../../../platform/event-log/index.js';
import type { TenantStatus } from '../domain/tenant.js';
import type { TenantLimits } from '../domain/tenant-limits.js';
import { TenantCatalog } from './ports.js';

const REMEMBERED_MAX = 10_000;
/** Older knowledge is not acted on: a suspension holds everywhere within a second. */
const TRUSTED_MS = 1_000;

/** What every request to a tenant depends on. */
export interface TenantGate {
  readonly tenantUid: string;
  readonly state: TenantStatus;
  /** Those that hold. */
  readonly limits: TenantLimits;
}

/** Whether tenants are open, from memory; forgotten the moment that one changes. */
@Injectable()
export class TenantGates {
  private readonly gates = new Map<string, TenantGate | null>();
  private changes = 0;

  constructor(
    private readonly tenants: TenantCatalog,
    private readonly watch: ManagementWatch,
  ) {
    watch.on(MANAGEMENT_TOPICS.tenants, ({ stream }) => {
      this.changes++;
      this.gates.delete(stream!);
    });
  }

  /** Null: there is no such tenant. At once where it is remembered. */
  of(tenantId: string): TenantGate | null | Promise<TenantGate | null> {
    const gate = this.gates.get(tenantId);
    if (gate !== undefined && this.watch.ageMs <= TRUSTED_MS) return gate;
    return this.load(tenantId);
  }

  private async load(tenantId: string): Promise<TenantGate | null> {
    const before = this.changes;
    const tenant = await this.tenants.find(tenantId);
    const gate = tenant ? { tenantUid: tenant.tenantUid, state: tenant.state, limits: tenant.effectiveLimits } : null;
    // What changed while it was read may not be in it; it is good for this once.
    if (before === this.changes) {
      if (this.gates.size >= REMEMBERED_MAX) this.gates.delete(this.gates.keys().next().value!);
      this.gates.set(tenantId, gate);
    }
    return gate;
  }
}
