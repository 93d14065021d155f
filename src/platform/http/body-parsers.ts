import type { FastifyInstance, FastifyRequest } from 'fastify';
import { httpError } from './http-errors.js';
import { parseStrictJson } from '../json/strict-json.js';

export interface BodyLimits {
  /** Bytes of an ordinary JSON body. */
  readonly bodyBytesMax: number;
  /** Bytes of all bodies that are being received or handled at once. */
  readonly inFlightBytesMax: number;
  /** For routes that accept raw bodies. */
  readonly rawBodyBytesMax: number;
}

/** Set on routes that use the bytes of a body as they are (`@RouteConfig({ rawBody: true })`) and may accept large ones. */
export interface RawBodyConfig {
  readonly rawBody?: boolean;
}

/**
 * The largest sensible body, a consumer of 100 topics with all its headers and delays, has some 800 values. Validation takes time for each:
 * 87,000 empty objects in a list, 256 KiB, once blocked the process for ten seconds.
 */
const JSON_LIMITS = { depthMax: 32, valuesMax: 2_000 };
/** Bodies up to this size are not counted: even one on every possible connection is harmless. */
const SMALL_BYTES = 16 * 1024;
const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
const FOREIGN_CHARSET = /;\s*charset=(?!"?utf-?8"?\s*(;|$))/i;

const isRaw = (request: FastifyRequest): boolean => (request.routeOptions.config as RawBodyConfig).rawBody === true;

/**
 * Bodies are buffers first: JSON of ordinary routes is parsed strictly (UTF-8, depth, duplicate keys, `__proto__`), raw routes get the
 * bytes. An encoding or charset that we would misread is refused instead of being parsed wrongly.
 */
export function installBodyParsers(fastify: FastifyInstance, limits: BodyLimits): void {
  fastify.removeAllContentTypeParsers();
  limitBodies(fastify, limits);
  fastify.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const bytes = body as Buffer;
      refuseEncodings(request);
      if (isRaw(request)) return done(null, bytes);
      if (bytes.length > limits.bodyBytesMax) throw tooLarge(limits.bodyBytesMax);
      done(null, bytes.length === 0 ? undefined : parseStrictJson(bytes, JSON_LIMITS));
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      if ((body as Buffer).length === 0 && !isRaw(request)) return done(null, undefined);
      if (!isRaw(request)) throw httpError('unsupported-media-type', 'Send application/json.');
      refuseEncodings(request);
      done(null, body);
    } catch (error) {
      done(error as Error);
    }
  });
}

function refuseEncodings({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw httpError(
      'unsupported-media-type',
      'Compressed bodies are not accepted; send the body without Content-Encoding.',
    );
  }
  if (FOREIGN_CHARSET.test(headers['content-type'] ?? '')) {
    throw httpError('unsupported-media-type', 'The charset must be utf-8.');
  }
}

const tooLarge = (bytesMax: number): Error =>
  httpError('body-too-large', `The body may have at most ${bytesMax} bytes.`);

/** Reserves the announced length of each body (for chunked ones the route's limit) until its response is sent. */
function limitBodies(fastify: FastifyInstance, limits: BodyLimits): void {
  let inFlight = 0;
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    const { headers } = request;
    const bytes =
      headers['content-length'] !== undefined
        ? Number(headers['content-length'])
        : chunked(request)
          ? mostOf(request, limits)
          : 0;
    if (!isRaw(request) && bytes > limits.bodyBytesMax) return done(tooLarge(limits.bodyBytesMax));
    if (bytes <= SMALL_BYTES) return done(null, payload);
    if (inFlight > 0 && inFlight + bytes > limits.inFlightBytesMax) {
      return done(httpError('overloaded', 'Too many large bodies at once.', { retryAfterSeconds: 1 }));
    }
    // During the credentials' look-up: no later event would report its end.
    if (reply.raw.closed) return done(httpError('invalid-request', 'The connection ended before the body arrived.'));
    inFlight += bytes;
    // Completed or cut off. Not `onRequestAbort`, which costs every request a listener.
    reply.raw.once('close', () => (inFlight -= bytes));
    done(null, payload);
  });
}

const mostOf = (request: FastifyRequest, limits: BodyLimits): number =>
  isRaw(request) ? limits.rawBodyBytesMax : limits.bodyBytesMax;

const chunked = ({ headers }: FastifyRequest): boolean => headers['transfer-encoding'] !== undefined;
