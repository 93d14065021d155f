import { Injectable } from '@nestjs/common';
import passport from 'passport';
import type { Principal } from '../../../kernel/access.js';
import { CredentialStrategies, type VerifiedToken } from '../application/authentication/ports.js';
import { unauthenticated } from '../domain/identity-errors.js';
import { ApiKeyStrategy, type KeyRequest } from './api-key.strategy.js';
import { JwtStrategy, type TokenRequest } from './jwt.strategy.js';

type Middleware = (request: object, response: undefined, next: (error: unknown) => void) => void;

/**
 * Runs Passport outside of its middleware: it gets no request, but the credential that was found in one. So nothing is written to requests of
 * Fastify, and the meaning of a header is decided in one place. Strategies are called by name: Passport uses a strategy passed as an object
 * directly, so that of two concurrent requests the second would get both results.
 */
@Injectable()
export class PassportStrategies extends CredentialStrategies {
  /** The instance of the package would be shared by all applications of a process. */
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
