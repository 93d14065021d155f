import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SYSTEM_TENANT, newId } from '../../../kernel/ids.js';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates, requireVersion } from '../../../platform/event-log/index.js';
import { createTenant, deleteTenant, renameTenant, tenantNotFound } from '../domain/tenant.js';
import { tenancyError } from '../domain/tenancy-errors.js';
import { NamespaceRemoval } from './namespace-removal.js';
import { NamespaceCatalog, TenantCatalog, type TenantView } from './ports.js';

export class CreateTenant extends Command<TenantView> {
  constructor(
    readonly input: { readonly id?: string; readonly name?: string },
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
  ) {}

  async execute({ input, by }: CreateTenant): Promise<TenantView> {
    const ref = { tenantId: input.id ?? newId('ten') };
    await this.aggregates.change(this.tenants, ref, by, (state) =>
      createTenant(state, ref, input.name ?? ref.tenantId),
    );
    return (await this.tenants.find(ref.tenantId))!;
  }
}

export class RenameTenant extends Command<TenantView> {
  constructor(
    readonly tenantId: string,
    readonly name: string,
    readonly by: Actor,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

@CommandHandler(RenameTenant)
export class RenameTenantHandler implements ICommandHandler<RenameTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
  ) {}

  async execute({ tenantId, name, by, expectedVersion }: RenameTenant): Promise<TenantView> {
    refuseSystem(tenantId);
    const ref = { tenantId };
    await this.aggregates.change(this.tenants, ref, by, (state) => renameTenant(state, ref, name), { expectedVersion });
    return (await this.tenants.find(tenantId))!;
  }
}

export class DeleteTenant extends Command<void> {
  constructor(
    readonly tenantId: string,
    readonly force: boolean,
    readonly by: Actor,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

/** With `force`, its namespaces go first, with what they hold. */
@CommandHandler(DeleteTenant)
export class DeleteTenantHandler implements ICommandHandler<DeleteTenant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly tenants: TenantCatalog,
    private readonly namespaces: NamespaceCatalog,
    private readonly removal: NamespaceRemoval,
  ) {}

  async execute({ tenantId, force, by, expectedVersion }: DeleteTenant): Promise<void> {
    refuseSystem(tenantId);
    const tenant = await this.tenants.find(tenantId);
    if (!tenant) throw tenantNotFound(tenantId);
    // Before anything is gone, and once more with the deletion itself.
    requireVersion(tenant.version, expectedVersion);
    for (let rest = await this.namespaces.list(tenantId, '', 100); rest.length > 0;) {
      if (!force)
        throw tenancyError(
          'tenant-not-empty',
          `Tenant "${tenantId}" holds namespaces; delete them or use ?force=true.`,
        );
      for (const namespace of rest) await this.removal.remove(namespace, true, by);
      rest = await this.namespaces.list(tenantId, '', 100);
    }
    const ref = { tenantId };
    await this.aggregates.change(this.tenants, ref, by, (state) => deleteTenant(state, ref), { expectedVersion });
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
  ) {
    super();
  }
}

@QueryHandler(ListTenants)
export class ListTenantsHandler implements IQueryHandler<ListTenants> {
  constructor(private readonly tenants: TenantCatalog) {}

  execute({ afterId, limit }: ListTenants): Promise<TenantView[]> {
    return this.tenants.list(afterId, limit + 1);
  }
}

export function refuseSystem(tenantId: string): void {
  if (tenantId === SYSTEM_TENANT) throw tenancyError('reserved-by-system', 'The system tenant cannot be changed.');
}

export const TENANT_HANDLERS = [
  CreateTenantHandler,
  RenameTenantHandler,
  DeleteTenantHandler,
  GetTenantHandler,
  ListTenantsHandler,
];
