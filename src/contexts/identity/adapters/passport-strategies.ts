import { Injectable } from '@nestjs/common';
import passport from 'passport';
import type { Principal } from '../../../kernel/access.js';
import { CredentialStrategies, type VerifiedToken } from '../application/authentication/ports.js';
import { unauthenticated } from '../domain/identity-errors.js';
import { ApiKeyStrategy, type KeyRequest } from './api-key.strategy.js';
import { JwtStrategy, type TokenRequest } from './jwt.strategy.js';

type Middleware = (request: object, response: undefined, next: (error: unknown) => void) => void;

/**
 * Asks Passport, outside of its middleware: what it gets is no request, but the credential that was found in one, so that nothing is written
 * to requests of Fastify, and what a header means is decided in one place. Strategies are asked for by name: of one that is handed over as an
 * object Passport uses the object itself, so that of two requests at once the second would get both answers.
 */
@Injectable()
export class PassportStrategies extends CredentialStrategies {
  /** The one of the package would be shared by all applications of a process. */
  private readonly passport = new passport.Passport();

  constructor(jwt: JwtStrategy, apiKey: ApiKeyStrategy) {
    super();
    this.passport.use('jwt', jwt).use('api-key', apiKey);
  }

  token(token: string): Promise<VerifiedToken> {
    return this.ask('jwt', { token } satisfies TokenRequest);
  }

  apiKey(key: string, address: string): Promise<Principal> {
    return this.ask('api-key', { headers: { 'x-api-key': key }, address } satisfies KeyRequest);
  }

  private ask<T>(strategy: string, request: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, verified?: unknown): void => {
        if (error) reject(error);
        else if (verified) resolve(verified as T);
        else reject(unauthenticated());
      };
      const ask = this.passport.authenticate(strategy, { session: false }, settle) as Middleware;
      ask(request, undefined, reject);
    });
  }
}
