export { NamespaceCatalog, NamespaceContents, TenantCatalog } from './application/ports.js';
export { refuseSystem } from './application/tenants.js';
export { namespaceAggregate, namespaceNotFound, type NamespaceEvent, type NamespaceRef } from './domain/namespace.js';
export { tenancyError } from './domain/tenancy-errors.js';
export { TenancyModule } from './tenancy.module.js';
