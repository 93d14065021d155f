export { HiddenResources } from './application/hidden-resources.js';
export { FirstHolders } from './application/tenant-life.js';
export { AuthzModule } from './authz.module.js';
