import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { HttpMetrics } from './http-metrics.js';

/** Requested every few seconds by monitoring. */
export const QUIET_ROUTES = new Set(['/health/live', '/health/ready', '/metrics']);

/**
 * One line and one observation per request. Changes are `info`, reads `debug`, refusals `info`, failures `error`; publishing has a line of
 * its own ("events published") and is `debug` here. A 503 is a refusal, since clients can cause it as often as they like; its reason is a
 * line of the problem filter at `warn`, which is rate-limited. The route template is logged, never the query string.
 */
export function installRequestLog(fastify: FastifyInstance, log: Logger, metrics: HttpMetrics): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const { statusCode } = reply;
    const durationMs = reply.elapsedTime;
    metrics.request(request.method, route, `${Math.floor(statusCode / 100)}xx`, durationMs);
    const level = levelOf(request.method, route, statusCode);
    if (log.isLevelEnabled(level)) {
      const { method, correlationId, principal, ip } = request;
      log[level](
        { correlationId, method, route, status: statusCode, durationMs, by: principal?.id, ip },
        'request answered',
      );
    }
    done();
  });
}

function levelOf(method: string, route: string, status: number): 'debug' | 'info' | 'error' {
  if (QUIET_ROUTES.has(route)) return 'debug';
  if (status === 500) return 'error';
  if (status >= 400) return 'info';
  return method === 'GET' || method === 'HEAD' || route.endsWith('/events') ? 'debug' : 'info';
}
