import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import { newId } from '../../../kernel/ids.js';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import {
  activateTenant,
  configureTenant,
  createTenant,
  firstOwners,
  mergeDefaults,
  NO_DEFAULTS,
  suspendTenant,
  tenantNotFound,
  type DefaultsPatch,
  type TenantChange,
  type TenantState,
} from '../domain/tenant.js';
import type { TenantLimits } from '../domain/tenant-limits.js';
import { TenantLifecycle } from './tenant-lifecycle.js';
import { TenantCatalog, type TenantView } from './ports.js';

export interface NewTenant {
  readonly id?: string;
  readonly name?: string;
  readonly defaults?: DefaultsPatch;
  readonly limits?: Partial<TenantLimits>;
  /** The user who becomes its first owner; by default, the caller. */
  readonly owner?: string;
}

export class CreateTenant extends Command<TenantView> {
  constructor(
    readonly input: NewTenant,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(CreateTenant)
export class CreateTenantHandler implements ICommandHandler<CreateTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
    private readonly lifecycle: TenantLifecycle,
  ) {}

  async execute({ input, by }: CreateTenant): Promise<TenantView> {
    const ref = { tenantId: input.id ?? newId('ten') };
    const founder = by.origin?.userId ?? null;
    const { owner = founder } = input;
    if (input.owner !== undefined) await this.lifecycle.requireOwner(input.owner);
    const defaults = mergeDefaults(NO_DEFAULTS, input.defaults);
    const founding = { name: input.name ?? ref.tenantId, tenantUid: randomUUID(), founder, owner, defaults };
    const decide = (state: TenantState) => createTenant(state, ref, founding, input.limits);
    const created = await this.aggregates.change(this.tenants, ref, by, decide);
    await this.lifecycle.began({ ...ref, tenantUid: founding.tenantUid }, firstOwners(founding), by);
    return this.tenants.viewOf(ref, created);
  }
}

export class ConfigureTenant extends Command<TenantView> {
  constructor(
    readonly tenantId: string,
    readonly change: TenantChange,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(ConfigureTenant)
export class ConfigureTenantHandler implements ICommandHandler<ConfigureTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
  ) {}

  async execute({ tenantId, change, by, expectedVersion }: ConfigureTenant): Promise<TenantView> {
    const ref = { tenantId };
    const decide = (state: TenantState) => configureTenant(state, ref, change);
    return this.tenants.viewOf(ref, await this.aggregates.change(this.tenants, ref, by, decide, { expectedVersion }));
  }
}

export class SuspendTenant extends Command<TenantView> {
  constructor(
    readonly tenantId: string,
    readonly reason: string | null,
    readonly by: Actor,
  ) {
    super();
  }
}

/** From then on its requests are refused and its deliveries wait; nothing is lost. */
@CommandHandler(SuspendTenant)
export class SuspendTenantHandler implements ICommandHandler<SuspendTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
  ) {}

  async execute({ tenantId, reason, by }: SuspendTenant): Promise<TenantView> {
    const ref = { tenantId };
    const decide = (state: TenantState) => suspendTenant(state, ref, reason);
    return this.tenants.viewOf(ref, await this.aggregates.change(this.tenants, ref, by, decide));
  }
}

export class ActivateTenant extends Command<TenantView> {
  constructor(
    readonly tenantId: string,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(ActivateTenant)
export class ActivateTenantHandler implements ICommandHandler<ActivateTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
  ) {}

  async execute({ tenantId, by }: ActivateTenant): Promise<TenantView> {
    const ref = { tenantId };
    const decide = (state: TenantState) => activateTenant(state, ref);
    return this.tenants.viewOf(ref, await this.aggregates.change(this.tenants, ref, by, decide));
  }
}

export class GetTenant extends Query<TenantView> {
  constructor(readonly tenantId: string) {
    super();
  }
}

@QueryHandler(GetTenant)
export class GetTenantHandler implements IQueryHandler<GetTenant> {
  constructor(private readonly tenants: TenantCatalog) {}

  async execute({ tenantId }: GetTenant): Promise<TenantView> {
    const tenant = await this.tenants.find(tenantId);
    if (!tenant) throw tenantNotFound(tenantId);
    return tenant;
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListTenants extends Query<TenantView[]> {
  constructor(
    readonly afterId: string,
    readonly limit: number,
    /** Undefined: all. */
    readonly among?: readonly string[],
  ) {
    super();
  }
}

@QueryHandler(ListTenants)
export class ListTenantsHandler implements IQueryHandler<ListTenants> {
  constructor(private readonly tenants: TenantCatalog) {}

  execute({ afterId, limit, among }: ListTenants): Promise<TenantView[]> {
    return this.tenants.list(afterId, limit + 1, among);
  }
}

export const TENANT_HANDLERS = [
  CreateTenantHandler,
  ConfigureTenantHandler,
  SuspendTenantHandler,
  ActivateTenantHandler,
  GetTenantHandler,
  ListTenantsHandler,
];
