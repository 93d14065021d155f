export { FirstAdministrator, type FirstAccess } from './application/first-administrator.js';
export { IdentityModule } from './identity.module.js';
