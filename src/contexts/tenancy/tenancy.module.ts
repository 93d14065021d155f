import { Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DurableSubscriptions } from '../../platform/event-log/index.js';
import { NamespacesController } from './adapters/namespaces.controller.js';
import { PostgresNamespaces } from './adapters/postgres-namespaces.js';
import { PostgresTenants } from './adapters/postgres-tenants.js';
import { TenantsController } from './adapters/tenants.controller.js';
import { NAMESPACE_HANDLERS } from './application/namespaces.js';
import { NamespaceContents, NamespaceRemoval, OnNamespaceDeleted } from './application/namespace-removal.js';
import { NamespaceCatalog, TenantCatalog } from './application/ports.js';
import { FairTurns } from './application/fair-turns.js';
import { TenantGates } from './application/tenant-gates.js';
import { OnTenantCreated, TenantLives } from './application/tenant-lives.js';
import { TENANT_HANDLERS } from './application/tenants.js';

@Module({
  controllers: [TenantsController, NamespacesController],
  providers: [
    { provide: TenantCatalog, useClass: PostgresTenants },
    { provide: NamespaceCatalog, useClass: PostgresNamespaces },
    NamespaceContents,
    NamespaceRemoval,
    TenantGates,
    FairTurns,
    TenantLives,
    OnTenantCreated,
    OnNamespaceDeleted,
    ...TENANT_HANDLERS,
    ...NAMESPACE_HANDLERS,
  ],
  exports: [TenantCatalog, NamespaceCatalog, NamespaceContents, TenantGates, FairTurns, TenantLives],
})
export class TenancyModule implements OnApplicationBootstrap {
  constructor(
    private readonly subscriptions: DurableSubscriptions,
    private readonly onNamespaceDeleted: OnNamespaceDeleted,
    private readonly onTenantCreated: OnTenantCreated,
  ) {}

  onApplicationBootstrap(): void {
    this.subscriptions.start(this.onNamespaceDeleted);
    this.subscriptions.start(this.onTenantCreated);
  }
}
