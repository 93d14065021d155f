export { IDENTITY_EXAMPLES } from './adapters/examples.js';
export { RequestAuthentication } from './adapters/request-authentication.js';
export { ApiKeyDirectory } from './application/api-key-directory.js';
export { Authenticator } from './application/authenticator.js';
export { FirstAdministrator, type FirstAccess } from './application/first-administrator.js';
export {
  apiKeyExceedsOwn,
  scopeOfNothing,
  CredentialJudges,
  type KeyInQuestion,
  type CredentialJudge,
} from './application/credential-judges.js';
export { CredentialsInForce } from './application/credentials-in-force.js';
export { SignCredentials } from './application/sign-credentials.js';
export { Invitations } from './application/invitations.js';
export { EmailField, USER_ID_SCHEMA } from './adapters/email-field.js';
export { ChangeUser, GetUser } from './application/users.js';
export { ProfileBody, toUserDto, UserDto } from './adapters/identity.dto.js';
export { UserLives, type UserWitness } from './application/user-lives.js';
export { UserAccounts, type Account } from './application/ports.js';
export { unauthenticated } from './application/sessions.js';
export { authorizationStale } from './domain/identity-errors.js';
export { userNotFound } from './domain/user.js';
export { IdentityModule } from './identity.module.js';
export { type KeyScope } from './domain/key-limits.js';
