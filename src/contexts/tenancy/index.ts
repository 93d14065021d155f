export { NamespaceContents, type NamespaceHoldings, type NamespaceLife } from './application/namespace-removal.js';
export { NamespaceCatalog, TenantCatalog } from './application/ports.js';
export { TenantGates, tenantSuspended, type TenantGate } from './application/tenant-gates.js';
export { TenantLives, type TenantLife, type TenantWitness } from './application/tenant-lives.js';
export { refuseSystem } from './application/tenants.js';
export { namespaceNotFound, type NamespaceRef } from './domain/namespace.js';
export { tenantNotFound, UNNAMED_LIFE } from './domain/tenant.js';
export { tenancyError } from './domain/tenancy-errors.js';
export { TenancyModule } from './tenancy.module.js';
