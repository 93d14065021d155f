import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export const isCorrelationId = (value: unknown): value is string =>
  typeof value === 'string' && VISIBLE_ASCII.test(value);

/** W3C Trace Context, version 00 to fe. */
export const isTraceparent = (value: unknown): value is string => typeof value === 'string' && TRACEPARENT.test(value);

/** Every request has a correlation id, its own or a new one, and every response shows it. */
export function installCorrelation(fastify: FastifyInstance): void {
  fastify.decorateRequest('correlationId', '');
  fastify.decorateRequest('traceparent', null);
  fastify.decorateRequest('principal', null);
  fastify.decorateRequest('access', null);
  fastify.decorateRequest('turn', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { headers } = request;
    const given = headers['x-correlation-id'];
    request.correlationId = isCorrelationId(given) ? given : randomUUID();
    request.traceparent = isTraceparent(headers.traceparent) ? headers.traceparent : null;
    reply.header('x-correlation-id', request.correlationId);
    if (request.traceparent !== null) reply.header('traceparent', request.traceparent);
    done();
  });
}
