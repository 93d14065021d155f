import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Settings } from '../config/index.js';
import { processLogger } from '../telemetry/logger.js';
import { installAllowedMethods } from './allowed-methods.js';
import { installBodyParsers } from './body-parsers.js';
import { BrokenRequests } from './broken-requests.js';
import { Consistency } from './consistency.js';
import { installCorrelation } from './correlation.js';
import { httpError } from './http-errors.js';
import { HttpMetrics } from './http-metrics.js';
import { Idempotency } from './idempotency.js';
import { installPreconditions } from './preconditions.js';
import { ProblemFilter } from './problem-filter.js';
import { installRateLimitHeaders } from './rate-limit-headers.js';
import { RequestFormGuard } from './request-form.js';
import { installRequestLog } from './request-log.js';
import { refuseUnreadable, routeUnreadable } from './unreadable-requests.js';

/** Ids in paths have at most 128 characters, streams 255, each of which may take 12 when percent-encoded. */
const PARAM_LENGTH_MAX = 4_096;
const IN_FLIGHT_BODY_BYTES_MAX = 256 * 1024 * 1024;
const CONNECTIONS_CHECKED_EVERY_MS = 2_000;
/** Swagger UI serves its scripts and styles as files, some styles inline. */
const DOCS_POLICY = {
  defaultSrc: ["'self'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  upgradeInsecureRequests: null,
};

const broken = new BrokenRequests();

/** Fastify with limits on everything that a client can make long: head, body, time, parameters. */
export function createAdapter({ http, publish }: Settings): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: publish.batchBytesMax,
    trustProxy: http.trustProxy.length > 0 ? [...http.trustProxy] : false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, ignoreTrailingSlash: false, caseSensitive: true },
    keepAliveTimeout: http.keepAliveMs,
    // Both are needed: Node looks for late requests only at this interval.
    requestTimeout: http.requestTimeoutMs,
    http: {
      requestTimeout: http.requestTimeoutMs,
      headersTimeout: http.headersTimeoutMs,
      connectionsCheckingInterval: CONNECTIONS_CHECKED_EVERY_MS,
      maxHeaderSize: 16 * 1024,
      // Node would take the first of two Authorization headers, while a proxy may have checked the second.
      joinDuplicateHeaders: true,
      // Node's own 400 has no body; ours is sent like all other refusals of a head.
      requireHostHeader: false,
    },
    forceCloseConnections: 'idle',
    // Fastify's own response to a request during a stop; ours refuses it.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => broken.answer(error, socket),
    frameworkErrors: routeUnreadable,
  });
}

/** The stages of every request, in this order. */
export function installHttp(app: NestFastifyApplication, { http, publish, roles }: Settings): void {
  const fastify = app.getHttpAdapter().getInstance();
  installCorrelation(fastify);
  installSecurityHeaders(fastify);
  broken.countOn(app.get(HttpMetrics));
  const notProxy = httpError('not-implemented', 'This server is not a proxy.');
  fastify.server.on('connect', (_, socket) => broken.refuse(notProxy, socket as Socket));
  refuseUnreadable(fastify);
  if (!roles.includes('api')) serveProbesOnly(fastify);
  installAllowedMethods(fastify);
  installRateLimitHeaders(fastify);
  installPreconditions(fastify);
  installBodyParsers(fastify, {
    bodyBytesMax: http.bodyBytesMax,
    rawBodyBytesMax: publish.batchBytesMax,
    inFlightBytesMax: IN_FLIGHT_BODY_BYTES_MAX,
  });
  installRequestLog(fastify, processLogger(), app.get(HttpMetrics));
  app.get(Idempotency).install(fastify);
  app.get(Consistency).install(fastify);
  app.useGlobalGuards(new RequestFormGuard());
  // Nest passes Fastify's own refusals (bodies, unknown routes) to the same filter.
  app.useGlobalFilters(app.get(ProblemFilter));
}

/** An instance that only delivers can still be monitored, but accepts no other request. */
function serveProbesOnly(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const probe = /^\/(health\/(live|ready)|metrics)(\?|$)/.test(request.url);
    done(probe ? undefined : httpError('route-not-found', 'This instance delivers events; it accepts no requests.'));
  });
}

/**
 * Helmet for every page; API responses, which no browser renders, get only the two headers that matter for them. They contain events,
 * personal data and tokens: no cache may store them, refusals included, unless the route says otherwise. The plain middleware: the plugin
 * for Fastify runs an async hook on every request, whatever its options, which kept whole requests alive for the garbage collector (a sixth
 * of what they allocate survived, and the pauses were 10 ms instead of 1).
 */
function installSecurityHeaders(fastify: FastifyInstance): void {
  // Whether a whole domain must use TLS is its operator's decision.
  const pageHeaders = helmet({ contentSecurityPolicy: { directives: DOCS_POLICY }, strictTransportSecurity: false });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/docs')) return pageHeaders(request.raw, reply.raw, done as (error?: unknown) => void);
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    done();
  });
}
