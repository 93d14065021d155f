export { RevokeApiKeysOfUser } from './application/api-keys.js';
export { Authenticator } from './application/authenticator.js';
export { FirstAdministrator, type FirstAccess } from './application/first-administrator.js';
export { UserLives, type UserWitness } from './application/user-lives.js';
export { UserAccounts, type Account } from './application/ports.js';
export { authorizationStale } from './domain/identity-errors.js';
export { userNotFound } from './domain/user.js';
export { IdentityModule } from './identity.module.js';
export { type KeyScope } from './domain/key-limits.js';
