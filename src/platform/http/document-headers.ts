import type { OpenAPIObject } from '@nestjs/swagger';
import { EXAMPLE_CORRELATION_ID } from './examples.js';
import { operationsOf, type Responses } from './operations.js';
import { resolveRef, type Schema } from './schemas.js';

interface Header {
  readonly description: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

const text = (description: string, example: string, required = false): Header => ({
  description,
  ...(required && { required }),
  schema: { type: 'string', example },
});

/** The headers of responses, by the names under which responses refer to them. */
const HEADERS = {
  CorrelationId: text('The one of the request, or a new one. The logs contain it.', EXAMPLE_CORRELATION_ID, true),
  ETag: text('The version, for `If-Match`.', '"1"', true),
  /** For resources that only sometimes have a version, such as a role: predefined ones have none. */
  ETagOfSome: text('The version, for `If-Match`; absent if there is no version.', '"1"'),
  Location: text('The address of the new resource.', '/tenants/acme', true),
  RateLimit: text('What is left of the limit that applies to the request, if any.', '"tenant";r=499;t=1'),
  RateLimitPolicy: text('That limit.', '"tenant";q=500;w=1'),
  IdempotentReplayed: text('`true`: this is the response to an earlier request with this `Idempotency-Key`.', 'true'),
  RetryAfter: { description: 'Seconds to wait: with 429 and 503.', schema: { type: 'integer', minimum: 1 } },
  WwwAuthenticate: text('How to authenticate: with 401.', 'Bearer realm="event-store", ApiKey realm="event-store"'),
} as const satisfies Readonly<Record<string, Header>>;

type HeaderName = keyof typeof HEADERS;

const refer = (name: HeaderName): { $ref: string } => ({ $ref: `#/components/headers/${name}` });

/**
 * Adds to every response its headers, depending on the operation: every response has a correlation id; a created resource has a location; a
 * resource with a version shows it as ETag. The test that sends all examples checks the responses against it. Headers declared by a handler
 * stay.
 */
export function describeHeaders(document: OpenAPIObject): void {
  document.components!.headers = { ...HEADERS } as never;
  for (const { path, operation } of operationsOf(document)) {
    const idempotent = hasParameter(operation.parameters, 'Idempotency-Key');
    for (const [status, response] of Object.entries(operation.responses as Responses)) {
      const headers: [string, HeaderName][] = [['X-Correlation-ID', 'CorrelationId']];
      if (!path.startsWith('/health/'))
        headers.push(['RateLimit', 'RateLimit'], ['RateLimit-Policy', 'RateLimitPolicy']);
      if (status === 'default') headers.push(['Retry-After', 'RetryAfter'], ['WWW-Authenticate', 'WwwAuthenticate']);
      else {
        if (status === '201') headers.push(['Location', 'Location']);
        const etag = etagOf(document, response.content?.['application/json']?.schema);
        if (etag) headers.push(['ETag', etag]);
        if (idempotent) headers.push(['Idempotent-Replayed', 'IdempotentReplayed']);
      }
      response.headers = {
        ...Object.fromEntries(headers.map(([name, key]) => [name, refer(key)])),
        ...response.headers,
      };
    }
  }
}

function etagOf(document: OpenAPIObject, schema: Schema | undefined): HeaderName | undefined {
  if (schema?.$ref === undefined) return undefined;
  const { properties = {}, required = [] } = resolveRef(document, schema.$ref);
  if (!('version' in properties)) return undefined;
  return required.includes('version') ? 'ETag' : 'ETagOfSome';
}

const hasParameter = (parameters: readonly object[] = [], wanted: string): boolean =>
  parameters.some((parameter) => (parameter as { name?: string }).name === wanted);
