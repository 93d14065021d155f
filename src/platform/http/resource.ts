import { recordWrite } from './consistency.js';
import { noteLimit } from './rate-limit-headers.js';
import type { Reply, Request } from './request.js';
import type { Actor } from '../../kernel/aggregate.js';
import type { Sql } from '../postgres/database.js';

export function showVersion(reply: Reply, version: number): void {
  reply.header('etag', `"${version}"`);
}

/** Without a version: for resources that never change. */
export function created(reply: Reply, location: string, version?: number): void {
  reply.status(201).header('location', location);
  if (version !== undefined) showVersion(reply, version);
}

/** Who acts in this request, for the events that it causes. */
export function actorOf(request: Request): Actor {
  return {
    id: request.principal?.id ?? 'anonymous',
    correlationId: request.correlationId,
    traceparent: request.traceparent,
    tracestate: request.tracestate,
    origin: {
      address: request.ip,
      userAgent: request.headers['user-agent'] ?? null,
      route: `${request.method} ${request.routeOptions.url}`,
      userId: request.principal?.userId ?? null,
    },
    onLimit: (left) => noteLimit(request, left),
    onWritten: (topicUid, position) => recordWrite(request, topicUid, position),
    ...(request.access && { confirm: (sql: Sql) => request.access!.confirm(sql) }),
  };
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();
