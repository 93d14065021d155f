import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { authenticateLargeBodies } from './adapters/early-authentication.js';
import { ApiKeysController } from './adapters/api-keys.controller.js';
import { AuthController } from './adapters/auth.controller.js';
import { PostgresApiKeys } from './adapters/postgres-api-keys.js';
import { PostgresCredentials } from './adapters/postgres-credentials.js';
import { ApiKeyDirectory } from './application/api-key-directory.js';
import { ApiKeyStore } from './application/api-key-store.js';
import { ApiKeyUsage, ApiKeyUsageOptions } from './application/api-key-usage.js';
import { API_KEY_HANDLERS } from './application/api-keys.js';
import { Authenticator } from './application/authenticator.js';
import { FirstAdministrator } from './application/first-administrator.js';
import { KeyIssue } from './application/key-issue.js';
import { Passwords } from './application/passwords.js';
import { Credentials } from './application/ports.js';
import { Sessions } from './application/sessions.js';

/** What a crash may lose of the counts of API keys. */
const USAGE_FLUSH_MS = 10_000;

@Module({
  controllers: [AuthController, ApiKeysController],
  providers: [
    { provide: Credentials, useClass: PostgresCredentials },
    Passwords,
    Sessions,
    Authenticator,
    FirstAdministrator,
    { provide: ApiKeyStore, useClass: PostgresApiKeys },
    { provide: ApiKeyUsageOptions, useValue: { flushMs: USAGE_FLUSH_MS } },
    ApiKeyUsage,
    ApiKeyDirectory,
    KeyIssue,
    ...API_KEY_HANDLERS,
  ],
  exports: [FirstAdministrator, Authenticator, Credentials],
})
export class IdentityModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly authenticator: Authenticator,
    private readonly usage: ApiKeyUsage,
  ) {}

  onModuleInit(): void {
    authenticateLargeBodies(this.host.httpAdapter.getInstance(), this.authenticator);
    this.usage.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.usage.close();
  }
}
