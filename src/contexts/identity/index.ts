export { RevokeApiKeysOfUser } from './application/api-keys.js';
export { Authenticator } from './application/authenticator.js';
export { FirstAdministrator, type FirstAccess } from './application/first-administrator.js';
export { Credentials } from './application/ports.js';
export { IdentityModule } from './identity.module.js';
export { type KeyScope } from './domain/key-limits.js';
