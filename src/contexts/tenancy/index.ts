export { TENANCY_EXAMPLES } from './adapters/examples.js';
export { NamespaceContents } from './application/namespace-removal.js';
export {
  NamespaceCatalog,
  TenantCatalog,
  type EndingTenant,
  type NamespaceContentProvider,
  type TenantLife,
  type TenantLifecycleListener,
} from './application/ports.js';
export { FairTurns, type Turn } from './application/fair-turns.js';
export { TenantGates, type TenantGate } from './application/tenant-gates.js';
export { TenantLifecycle } from './application/tenant-lifecycle.js';
export { namespaceNotFound, type NamespaceLife, type NamespaceRef } from './domain/namespace.js';
export {
  reservedBySystem,
  tenantDeleting,
  tenantNotFound,
  tenantSuspended,
  SYSTEM_TENANT_UID,
} from './domain/tenant.js';
export { requireRoom, type TenantRoom } from './domain/tenant-room.js';
export { tenancyError } from './domain/tenancy-errors.js';
export { TenancyModule } from './tenancy.module.js';
