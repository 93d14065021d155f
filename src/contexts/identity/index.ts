export { IDENTITY_EXAMPLES } from './adapters/examples.js';
export { RequestAuthentication } from './adapters/request-authentication.js';
export { ApiKeyDirectory } from './application/authentication/api-key-directory.js';
export { Authenticator } from './application/authentication/authenticator.js';
export { FirstAdministrator, type FirstAccess } from './application/accounts/first-administrator.js';
export {
  apiKeyExceedsOwn,
  scopeOfNothing,
  CredentialJudges,
  type KeyInQuestion,
  type CredentialJudge,
} from './application/api-keys/credential-judges.js';
export { CredentialsInForce } from './application/authentication/credentials-in-force.js';
export { SignCredentials } from './application/authentication/sign-credentials.js';
export { Invitations } from './application/accounts/invitations.js';
export { EmailField, USER_ID_SCHEMA } from './adapters/email-field.js';
export { ChangeUser, GetUser } from './application/accounts/users.js';
export { ProfileBody, toUserDto, UserDto } from './adapters/identity.dto.js';
export { UserLives, type UserWitness } from './application/accounts/user-lives.js';
export { UserAccounts, type Account } from './application/accounts/ports.js';
export { unauthenticated } from './application/sessions/sessions.js';
export { authorizationStale } from './domain/identity-errors.js';
export { userNotFound } from './domain/user.js';
export { IdentityModule } from './identity.module.js';
export { type KeyScope } from './domain/key-limits.js';
