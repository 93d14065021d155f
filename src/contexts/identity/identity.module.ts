import { Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { authenticateLargeBodies } from './adapters/early-authentication.js';
import { AuthController } from './adapters/auth.controller.js';
import { PostgresCredentials } from './adapters/postgres-credentials.js';
import { Authenticator } from './application/authenticator.js';
import { FirstAdministrator } from './application/first-administrator.js';
import { Passwords } from './application/passwords.js';
import { Credentials } from './application/ports.js';
import { Sessions } from './application/sessions.js';

@Module({
  controllers: [AuthController],
  providers: [
    { provide: Credentials, useClass: PostgresCredentials },
    Passwords,
    Sessions,
    Authenticator,
    FirstAdministrator,
  ],
  exports: [FirstAdministrator, Authenticator, Credentials],
})
export class IdentityModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly authenticator: Authenticator,
  ) {}

  onModuleInit(): void {
    authenticateLargeBodies(this.host.httpAdapter.getInstance(), this.authenticator);
  }
}
