import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { isChosenId, SYSTEM_TENANT } from '../../../kernel/ids.js';
import { ManagementWatch, WatchedCache } from '../../../platform/event-log/index.js';
import type { TenantStatus } from '../domain/tenant.js';
import type { TenantLimits } from '../domain/tenant-limits.js';
import { TenantCatalog } from './ports.js';

const REMEMBERED_MAX = 10_000;

/** What every request to a tenant depends on. */
export interface TenantGate {
  readonly tenantUid: string;
  readonly state: TenantStatus;
  /** Those that apply. */
  readonly limits: TenantLimits;
}

/** Whether tenants are open, from memory; forgotten the moment that one changes. */
@Injectable()
export class TenantGates {
  private readonly gates: WatchedCache<TenantGate>;

  constructor(
    private readonly tenants: TenantCatalog,
    watch: ManagementWatch,
  ) {
    this.gates = new WatchedCache(watch, { max: REMEMBERED_MAX, absent: { max: REMEMBERED_MAX } });
  }

  /** Null: there is no such tenant. At once where it is cached. */
  of(tenantId: string): TenantGate | null | Promise<TenantGate | null> {
    const gate = this.gates.get(tenantId);
    if (gate !== undefined) return gate;
    if (!isChosenId(tenantId) && tenantId !== SYSTEM_TENANT) return null;
    return this.gates.load(tenantId, async () => {
      const tenant = await this.tenants.find(tenantId);
      if (!tenant) return null;
      return { tenantUid: tenant.tenantUid, state: tenant.state, limits: tenant.effectiveLimits };
    });
  }

  forget(tenantId: string): void {
    this.gates.forget(tenantId);
  }

  forgetAll(): void {
    this.gates.forgetAll();
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
