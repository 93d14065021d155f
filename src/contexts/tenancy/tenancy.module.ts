import { Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { ClockModule } from '../../platform/clock/clock.module.js';
import { TelemetryModule } from '../../platform/telemetry/telemetry.module.js';
import { EventLogModule } from '../../platform/event-log/event-log.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { DurableSubscriptions } from '../../platform/event-log/index.js';
import { JobRunner, JobsModule } from '../../platform/jobs/index.js';
import { NamespacesController } from './adapters/namespaces.controller.js';
import { PostgresNamespaces } from './adapters/postgres-namespaces.js';
import { PostgresTenants } from './adapters/postgres-tenants.js';
import { TenantDeletionsController } from './adapters/tenant-deletions.controller.js';
import { TenantsController } from './adapters/tenants.controller.js';
import { CompleteTenantHandler } from './application/complete-tenant.js';
import { DeleteTenantHandler } from './application/delete-tenant.js';
import { NAMESPACE_HANDLERS } from './application/namespaces.js';
import {
  NamespaceContents,
  NamespaceRemoval,
  RemoveNamespaceContentsHandler,
} from './application/namespace-removal.js';
import { FairTurns } from './application/fair-turns.js';
import { NamespaceCatalog, TenantCatalog } from './application/ports.js';
import { DELETION_HANDLERS } from './application/tenant-deletions.js';
import { TENANCY_SUBSCRIPTIONS, TenancySagas } from './application/tenancy.sagas.js';
import { AnnounceTenantEndHandler, TenantEndWaiter } from './application/tenant-end-waiter.js';
import { ForgetTenantGateHandler, TenantGates } from './application/tenant-gates.js';
import { TenantLifecycle } from './application/tenant-lifecycle.js';
import { TenantRemoval } from './application/tenant-removal.js';
import { TENANT_HANDLERS } from './application/tenants.js';

@Module({
  imports: [PostgresModule, ClockModule, TelemetryModule, EventLogModule, HttpModule, JobsModule],
  controllers: [TenantsController, TenantDeletionsController, NamespacesController],
  providers: [
    { provide: TenantCatalog, useClass: PostgresTenants },
    { provide: NamespaceCatalog, useClass: PostgresNamespaces },
    NamespaceContents,
    NamespaceRemoval,
    TenantGates,
    FairTurns,
    TenantLifecycle,
    TenantEndWaiter,
    TenantRemoval,
    DeleteTenantHandler,
    TenancySagas,
    ForgetTenantGateHandler,
    AnnounceTenantEndHandler,
    CompleteTenantHandler,
    RemoveNamespaceContentsHandler,
    ...TENANT_HANDLERS,
    ...DELETION_HANDLERS,
    ...NAMESPACE_HANDLERS,
  ],
  exports: [TenantCatalog, NamespaceCatalog, NamespaceContents, TenantGates, FairTurns, TenantLifecycle],
})
export class TenancyModule implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly subscriptions: DurableSubscriptions,
    private readonly runner: JobRunner,
    private readonly removal: TenantRemoval,
  ) {}

  onModuleInit(): void {
    this.runner.register(this.removal);
  }

  onApplicationBootstrap(): void {
    for (const subscription of TENANCY_SUBSCRIPTIONS) this.subscriptions.start(subscription);
  }
}
