import type { FastifyInstance } from 'fastify';

/** Tokens and persons are in these answers, refusals included: no cache may keep them. */
export function forbidCaching(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/auth/') || request.url.startsWith('/users')) reply.header('cache-control', 'no-store');
    done();
  });
}
