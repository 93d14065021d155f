import type { FastifyInstance } from 'fastify';
import { whenFailed, whenReady } from '../../../kernel/when-ready.js';
import type { RawBodyConfig } from '../../../platform/http/body-parsers.js';
import type { RequestAuthentication } from './request-authentication.js';

/**
 * Guards run after a body was read. Routes with large bodies require credentials with the head of the request, so that an unauthenticated client
 * cannot make the server hold ten megabytes.
 */
export function authenticateLargeBodies(fastify: FastifyInstance, authentication: RequestAuthentication): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!(request.routeOptions.config as RawBodyConfig).rawBody) return done();
    void whenFailed(
      () => whenReady(authentication.principalOf(request), () => done()),
      (error) => done(error as Error),
    );
  });
}
