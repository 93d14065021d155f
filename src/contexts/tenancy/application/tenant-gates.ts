import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { isChosenId, SYSTEM_TENANT } from '../../../kernel/ids.js';
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
  private readonly gates = new Map<string, TenantGate>();
  /** Names that no tenant has: apart, so that whoever invents them pushes out no tenant. */
  private readonly missing = new Set<string>();
  private changes = 0;

  constructor(
    private readonly tenants: TenantCatalog,
    private readonly watch: ManagementWatch,
  ) {}

  /** Null: there is no such tenant. At once where it is remembered. */
  of(tenantId: string): TenantGate | null | Promise<TenantGate | null> {
    const gate = this.gates.get(tenantId);
    const known = gate !== undefined || this.missing.has(tenantId);
    if (known && this.watch.ageMs <= TRUSTED_MS) return gate ?? null;
    return isChosenId(tenantId) || tenantId === SYSTEM_TENANT ? this.load(tenantId) : null;
  }

  forget(tenantId: string): void {
    this.changes++;
    this.gates.delete(tenantId);
    this.missing.delete(tenantId);
  }

  forgetAll(): void {
    this.changes++;
    this.gates.clear();
    this.missing.clear();
  }

  private async load(tenantId: string): Promise<TenantGate | null> {
    const before = this.changes;
    const tenant = await this.tenants.find(tenantId);
    const gate = tenant ? { tenantUid: tenant.tenantUid, state: tenant.state, limits: tenant.effectiveLimits } : null;
    // What changed while it was read may not be in it; it is good for this once.
    if (before === this.changes) {
      if (gate) makeRoom(this.gates).set(tenantId, gate);
      else makeRoom(this.missing).add(tenantId);
    }
    return gate;
  }
}

/** Null: all of them. */
export class ForgetTenantGate extends Command<void> {
  constructor(readonly tenantId: string | null) {
    super();
  }
}

@CommandHandler(ForgetTenantGate)
export class ForgetTenantGateHandler implements ICommandHandler<ForgetTenantGate> {
  constructor(private readonly gates: TenantGates) {}

  async execute({ tenantId }: ForgetTenantGate): Promise<void> {
    if (tenantId === null) this.gates.forgetAll();
    else this.gates.forget(tenantId);
  }
}

/** The oldest goes. */
function makeRoom<Names extends Map<string, unknown> | Set<string>>(names: Names): Names {
  if (names.size >= REMEMBERED_MAX) names.delete(names.keys().next().value!);
  return names;
}
