import type { FastifyInstance } from 'fastify';
import type { RawBodyConfig } from '../../../platform/http/body-parsers.js';
import type { RequestAuthentication } from './request-authentication.js';

/**
 * Guards run when a body has been read. Routes that take large ones ask for credentials with the head of the request, so that nobody can
 * make the server hold ten megabytes for a stranger.
 */
export function authenticateLargeBodies(fastify: FastifyInstance, authentication: RequestAuthentication): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!(request.routeOptions.config as RawBodyConfig).rawBody) return done();
    try {
      const principal = authentication.principalOf(request);
      if (!(principal instanceof Promise)) {
        request.principal = principal;
        return done();
      }
      principal.then(
        (found) => {
          request.principal = found;
          done();
        },
        (error: Error) => done(error),
      );
    } catch (error) {
      done(error as Error);
    }
  });
}
