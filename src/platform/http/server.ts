import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DomainError } from '../../kernel/domain-error.js';
import type { Settings } from '../config/index.js';
import { processLogger } from '../telemetry/logger.js';
import { Metrics } from '../telemetry/metrics.js';
import { installBodyParsers } from './body-parsers.js';
import { Consistency } from './consistency.js';
import { installCorrelation } from './correlation.js';
import { httpError } from './http-errors.js';
import { Idempotency } from './idempotency.js';
import { ProblemFilter } from './problem-filter.js';
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.js';
import { installRequestLog } from './request-log.js';

/** Ids in paths have at most 128 characters, streams 255, each of which may take 12 when percent-encoded. */
const PARAM_LENGTH_MAX = 4_096;
const IN_FLIGHT_BODY_BYTES_MAX = 256 * 1024 * 1024;
const CONNECTIONS_CHECKED_EVERY_MS = 2_000;
/** Swagger UI brings its scripts and styles along as files, some styles inline. */
const DOCS_POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  upgradeInsecureRequests: null,
};

/** Fastify with limits on everything that a client can make long: head, body, time, parameters. */
export function createAdapter({ http, publish }: Settings): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: publish.batchBytesMax,
    trustProxy: http.trustProxy.length > 0 ? [...http.trustProxy] : false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, ignoreTrailingSlash: false, caseSensitive: true },
    keepAliveTimeout: http.keepAliveMs,
    // Both are needed: Node looks for late requests only as often as it is told to.
    requestTimeout: http.requestTimeoutMs,
    http: {
      requestTimeout: http.requestTimeoutMs,
      headersTimeout: http.headersTimeoutMs,
      connectionsCheckingInterval: CONNECTIONS_CHECKED_EVERY_MS,
      maxHeaderSize: 16 * 1024,
      // Node would take the first of two Authorization headers, where a proxy may have judged the second.
      joinDuplicateHeaders: true,
    },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
  });
}

/** What every request passes, in this order. */
export function installHttp(app: NestFastifyApplication, { http, publish, roles }: Settings): void {
  const fastify = app.getHttpAdapter().getInstance();
  installCorrelation(fastify);
  if (!roles.includes('api')) serveProbesOnly(fastify);
  refuseBrokenAddress(fastify);
  installSecurityHeaders(fastify);
  installBodyParsers(fastify, {
    bodyBytesMax: http.bodyBytesMax,
    rawBodyBytesMax: publish.batchBytesMax,
    inFlightBytesMax: IN_FLIGHT_BODY_BYTES_MAX,
  });
  installRequestLog(fastify, processLogger(), app.get(Metrics));
  app.get(Idempotency).install(fastify);
  app.get(Consistency).install(fastify);
  // Nest hands what Fastify refuses by itself (bodies, unknown routes) to the same filter.
  app.useGlobalFilters(app.get(ProblemFilter));
}

/** An instance that only delivers is still to be watched, but takes no other request. */
function serveProbesOnly(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const probe = /^\/(health\/(live|ready)|metrics)(\?|$)/.test(request.url);
    done(probe ? undefined : httpError('route-not-found', 'This instance delivers events; it takes no requests.'));
  });
}

/**
 * PostgreSQL takes no NUL in a text, so that nothing can have such a name. Two Host headers, which Node joins, are 400 by RFC 9112, 3.2: a
 * proxy may have gone by the other one.
 */
function refuseBrokenAddress(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (request.url.includes('%00'))
      return done(httpError('invalid-request', 'The address must not hold NUL characters.'));
    if (request.headers.host?.includes(','))
      return done(httpError('invalid-request', 'There must be one Host header.'));
    done();
  });
}

/**
 * Helmet for every page; the answers of the API, which no browser renders, get the two headers that matter to them. Events, persons and
 * tokens are in them: no cache may keep one, refusals included, unless its route says otherwise. The plain middleware:
 * the plugin for Fastify runs an async hook on every request, whatever it is told, by which the collector took whole requests for alive
 * (a sixth of what they allocate survived, and the pauses were 10 ms instead of 1).
 */
function installSecurityHeaders(fastify: FastifyInstance): void {
  // Whether a whole domain is to be reached by TLS only is for whoever serves it to say.
  const pageHeaders = helmet({ contentSecurityPolicy: { directives: DOCS_POLICY }, strictTransportSecurity: false });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/docs')) return pageHeaders(request.raw, reply.raw, done as (error?: unknown) => void);
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    done();
  });
}

/** What is no HTTP, too long in its head or too slow never becomes a request: it is answered here and the connection ends. */
function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Socket & { _httpMessage?: ServerResponse | null },
): void {
  // An answer that has begun (a stream, say) must not get another one into its middle: Node asks the same before it answers by itself.
  const { _httpMessage: answer } = socket;
  const answering = answer?.headersSent === true;
  // Clients open connections to spare: a 408 on one of them would be taken for the answer to what is just being asked.
  const unused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || answering || unused) {
    socket.destroy();
    return;
  }
  const [status, reason, refusal] = BROKEN[error.code ?? ''] ?? [
    400,
    'Bad Request',
    httpError('invalid-request', 'This is not HTTP/1.1.'),
  ];
  const body = JSON.stringify({ ...toProblem(refusal, { instance: '', correlationId: randomUUID() }), status });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const BROKEN: Readonly<Record<string, [status: number, reason: string, refusal: DomainError]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'Request Timeout',
    httpError('request-timeout', 'The request did not arrive in time.'),
  ],
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    httpError('invalid-request', 'The head may have at most 16 KiB.'),
  ],
};
