import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { isTraceparent, tracestateOf } from './trace-context.js';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

export const isCorrelationId = (value: unknown): value is string =>
  typeof value === 'string' && VISIBLE_ASCII.test(value);

/** Every request has a correlation id, its own or a new one, and every response shows it. */
export function installCorrelation(fastify: FastifyInstance): void {
  fastify.decorateRequest('correlationId', '');
  fastify.decorateRequest('traceparent', null);
  fastify.decorateRequest('tracestate', null);
  fastify.decorateRequest('principal', null);
  fastify.decorateRequest('access', null);
  fastify.decorateRequest('turn', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { headers } = request;
    const given = headers['x-correlation-id'];
    request.correlationId = isCorrelationId(given) ? given : randomUUID();
    request.traceparent = isTraceparent(headers.traceparent) ? headers.traceparent : null;
    reply.header('x-correlation-id', request.correlationId);
    if (request.traceparent !== null) {
      request.tracestate = tracestateOf(headers['tracestate']);
      reply.header('traceparent', request.traceparent);
    }
    done();
  });
}
