export { AUTHZ_EXAMPLES } from './adapters/examples.js';
export { Direct, DirectRoutes } from './adapters/direct-routes.js';
export { SystemAccess } from './adapters/system-access.js';
export { ResourceVisibility } from './application/resource-visibility.js';
export { InitialRoles } from './application/initial-roles.js';
export { ResourceRightsRemoval } from './application/resource-rights-removal.js';
export { StandingRights, type Standing } from './application/standing-rights.js';
export { permissionDenied } from './domain/authz-errors.js';
export { AuthzModule } from './authz.module.js';
