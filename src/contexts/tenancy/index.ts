export { NamespaceContents, type NamespaceHoldings, type NamespaceLife } from './application/namespace-removal.js';
export { NamespaceCatalog, TenantCatalog } from './application/ports.js';
export { refuseSystem } from './application/tenants.js';
export { namespaceNotFound, type NamespaceRef } from './domain/namespace.js';
export { tenancyError } from './domain/tenancy-errors.js';
export { TenancyModule } from './tenancy.module.js';
