import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './adapters/access.guard.js';
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
    { provide: APP_GUARD, useClass: AccessGuard },
    Passwords,
    Sessions,
    Authenticator,
    FirstAdministrator,
  ],
  exports: [FirstAdministrator],
})
export class IdentityModule {}
