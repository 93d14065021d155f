import { Module, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { ClockModule } from '../../platform/clock/clock.module.js';
import { AuditTrailModule } from '../../platform/audit/audit-trail.module.js';
import { EventLogModule } from '../../platform/event-log/event-log.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { HashingThreads } from '../../platform/crypto/hashing-threads.js';
import { DurableSubscriptions } from '../../platform/event-log/index.js';
import { ApiKeyStrategy } from './adapters/api-key.strategy.js';
import { ApiKeysController } from './adapters/api-keys.controller.js';
import { AuthController } from './adapters/auth.controller.js';
import { CredentialSignatures } from './adapters/credential-signatures.js';
import { authenticateLargeBodies } from './adapters/early-authentication.js';
import { JwtStrategy } from './adapters/jwt.strategy.js';
import { PassportStrategies } from './adapters/passport-strategies.js';
import { PasswordsController } from './adapters/passwords.controller.js';
import { PostgresApiKeys } from './adapters/postgres-api-keys.js';
import { PostgresCredentialRows } from './adapters/postgres-credential-rows.js';
import { PostgresCredentialValidity } from './adapters/postgres-credential-validity.js';
import { PostgresSessions } from './adapters/postgres-sessions.js';
import { PostgresUsers } from './adapters/postgres-users.js';
import { RequestAuthentication } from './adapters/request-authentication.js';
import { UsersController } from './adapters/users.controller.js';
import { FirstAdministrator } from './application/accounts/first-administrator.js';
import { ACCOUNT_HANDLERS } from './application/accounts/handlers.js';
import { InvitationQuota } from './application/accounts/invitation-quota.js';
import { Invitations } from './application/accounts/invitations.js';
import { UserAccounts, UserLifecycle } from './application/accounts/ports.js';
import { ApiKeyUsage, ApiKeyUsageOptions } from './application/api-keys/api-key-usage.js';
import { API_KEY_HANDLERS } from './application/api-keys/handlers.js';
import { CredentialChecks } from './application/api-keys/credential-checks.js';
import { UserKeyRevocation } from './application/api-keys/user-key-revocation.js';
import { ApiKeyStore, CredentialPolicies } from './application/api-keys/ports.js';
import { ApiKeyDirectory } from './application/authentication/api-key-directory.js';
import { Authenticator } from './application/authentication/authenticator.js';
import { ForgetTokensHandler, ForgetApiKeysHandler } from './application/authentication/forget-credentials.js';
import { KeyMissThrottle } from './application/authentication/key-miss-throttle.js';
import { CredentialValidity, CredentialStrategies, CredentialRows } from './application/authentication/ports.js';
import { SignCredentials } from './application/authentication/sign-credentials.js';
import { IDENTITY_SUBSCRIPTIONS, IdentitySagas } from './application/identity.sagas.js';
import { CommonPasswords } from './application/passwords/common-passwords.js';
import { GuessThrottle } from './application/passwords/guess-throttle.js';
import { PASSWORD_HANDLERS } from './application/passwords/handlers.js';
import { PasswordMails } from './application/passwords/password-mails.js';
import { Passwords } from './application/passwords/passwords.js';
import { ResetQuota } from './application/passwords/reset-quota.js';
import { SESSION_HANDLERS } from './application/sessions/handlers.js';
import { SessionStore } from './application/sessions/ports.js';
import { Sessions } from './application/sessions/sessions.js';
import { Tokens } from './application/sessions/tokens.js';

/** A crash loses at most the counts of API keys of this time. */
const USAGE_FLUSH_MS = 10_000;

@Module({
  imports: [PostgresModule, CryptoModule, ClockModule, AuditTrailModule, EventLogModule, HttpModule, MailModule],
  controllers: [AuthController, PasswordsController, UsersController, ApiKeysController],
  providers: [
    { provide: UserAccounts, useClass: PostgresUsers },
    { provide: SessionStore, useClass: PostgresSessions },
    { provide: CredentialValidity, useClass: PostgresCredentialValidity },
    { provide: CredentialRows, useClass: PostgresCredentialRows },
    CredentialSignatures,
    SignCredentials,
    UserLifecycle,
    CommonPasswords,
    HashingThreads,
    Passwords,
    GuessThrottle,
    ResetQuota,
    InvitationQuota,
    Invitations,
    Tokens,
    Sessions,
    PasswordMails,
    JwtStrategy,
    ApiKeyStrategy,
    { provide: CredentialStrategies, useClass: PassportStrategies },
    Authenticator,
    FirstAdministrator,
    { provide: ApiKeyStore, useClass: PostgresApiKeys },
    { provide: ApiKeyUsageOptions, useValue: { flushMs: USAGE_FLUSH_MS } },
    RequestAuthentication,
    ApiKeyUsage,
    KeyMissThrottle,
    ApiKeyDirectory,
    UserKeyRevocation,
    IdentitySagas,
    ForgetTokensHandler,
    ForgetApiKeysHandler,
    CredentialPolicies,
    CredentialChecks,
    ...API_KEY_HANDLERS,
    ...ACCOUNT_HANDLERS,
    ...SESSION_HANDLERS,
    ...PASSWORD_HANDLERS,
  ],
  exports: [
    ApiKeyDirectory,
    Invitations,
    CredentialPolicies,
    CredentialValidity,
    FirstAdministrator,
    Authenticator,
    RequestAuthentication,
    UserAccounts,
    UserLifecycle,
  ],
})
export class IdentityModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly authentication: RequestAuthentication,
    private readonly usage: ApiKeyUsage,
    private readonly subscriptions: DurableSubscriptions,
    private readonly hashing: HashingThreads,
  ) {}

  onModuleInit(): void {
    authenticateLargeBodies(this.host.httpAdapter.getInstance(), this.authentication);
    this.usage.start();
  }

  onApplicationBootstrap(): void {
    for (const subscription of IDENTITY_SUBSCRIPTIONS) this.subscriptions.start(subscription);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.usage.close(), this.hashing.close()]);
  }
}
