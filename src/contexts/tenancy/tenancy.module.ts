import { Module } from '@nestjs/common';
import { NamespacesController } from './adapters/namespaces.controller.js';
import { PostgresNamespaces } from './adapters/postgres-namespaces.js';
import { PostgresTenants } from './adapters/postgres-tenants.js';
import { TenantsController } from './adapters/tenants.controller.js';
import { NAMESPACE_HANDLERS } from './application/namespaces.js';
import { NamespaceCatalog, NamespaceContents, TenantCatalog } from './application/ports.js';
import { TENANT_HANDLERS } from './application/tenants.js';

@Module({
  controllers: [TenantsController, NamespacesController],
  providers: [
    { provide: TenantCatalog, useClass: PostgresTenants },
    { provide: NamespaceCatalog, useClass: PostgresNamespaces },
    NamespaceContents,
    ...TENANT_HANDLERS,
    ...NAMESPACE_HANDLERS,
  ],
  exports: [TenantCatalog, NamespaceCatalog, NamespaceContents],
})
export class TenancyModule {}
