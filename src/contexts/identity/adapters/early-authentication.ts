import type { FastifyInstance } from 'fastify';
import { whenFailed, whenReady } from '../../../kernel/when-ready.js';
import type { RawBodyConfig } from '../../../platform/http/body-parsers.js';
import type { RequestAuthentication } from './request-authentication.js';

/**
 * Guards run when a body has been read. Routes that take large ones ask for credentials with the head of the request, so that nobody can
 * make the server hold ten megabytes for a stranger.
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
