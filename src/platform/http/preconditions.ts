import type { FastifyInstance, onRequestHookHandler, onSendHookHandler } from 'fastify';
import type { ExpectedVersion, Versions } from '../../kernel/expected-version.js';
import { httpError } from './http-errors.js';
import type { Request } from './request.js';

interface EntityTag {
  readonly weak: boolean;
  /** Without its quotes. */
  readonly opaque: string;
}

/** RFC 9110, 8.8.3: anything but quotes, spaces and control characters, in quotes and without escapes. */
const TAG = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/y;
const EMPTY = /[ \t]*,/y;
const VERSION = /^(0|[1-9]\d{0,14})$/;

/** `If-Match` or `If-None-Match`: a list of tags, or `*`. Undefined: neither. */
export function parseTags(header: string): 'any' | EntityTag[] | undefined {
  if (header.trim() === '*') return 'any';
  const tags: EntityTag[] = [];
  for (let at = 0; at < header.length;) {
    EMPTY.lastIndex = TAG.lastIndex = at;
    const tag = TAG.exec(header);
    if (tag) tags.push({ weak: tag[1] !== undefined, opaque: tag[2]! });
    // Empty elements of a list are skipped (5.6.1).
    else if (!EMPTY.test(header)) return undefined;
    at = tag ? TAG.lastIndex : EMPTY.lastIndex;
  }
  return tags.length > 0 ? tags : undefined;
}

/**
 * The version that a change may meet (13.1.1, 13.1.2); undefined if not given. Our tags are versions; any other one matches no version.
 * Weak tags never match in `If-Match`, but do in `If-None-Match`.
 */
export function expectedVersion({ method, headers }: Request): ExpectedVersion | undefined {
  const match = read(headers, 'if-match');
  const noneMatch = read(headers, 'if-none-match');
  // A changed resource must exist anyway, and otherwise is reported as missing (13.2.1); only PUT would create it.
  const expected = {
    match: match === 'any' ? (method === 'PUT' ? match : undefined) : match && versionsOf(match.filter(isStrong)),
    noneMatch: noneMatch === 'any' ? noneMatch : noneMatch && versionsOf(noneMatch),
  };
  return expected.match === undefined && expected.noneMatch === undefined ? undefined : expected;
}

const isStrong = ({ weak }: EntityTag): boolean => !weak;

const versionsOf = (tags: readonly EntityTag[]): Versions =>
  tags.filter(({ opaque }) => VERSION.test(opaque)).map(({ opaque }) => Number(opaque));

/**
 * 304 for clients that already have the current version, wherever an ETag is shown. Only reads pay for it; changes check their own headers.
 */
export function installPreconditions(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.method !== 'GET' && route.method !== 'HEAD') return;
    route.onRequest = [...[route.onRequest ?? []].flat(), refuseBroken];
    route.onSend = [...[route.onSend ?? []].flat(), sendNotModified];
  });
}

const refuseBroken: onRequestHookHandler = ({ headers }, _reply, done) => {
  try {
    read(headers, 'if-match');
    read(headers, 'if-none-match');
    done();
  } catch (error) {
    done(error as Error);
  }
};

const sendNotModified: onSendHookHandler = (request, reply, payload, done) => {
  const etag = reply.getHeader('etag');
  if (reply.statusCode !== 200 || typeof etag !== 'string' || !isKnown(request, etag)) return done(null, payload);
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  done(null, null);
};

/** By the weak comparison (8.8.3.2). */
function isKnown({ headers }: Request, etag: string): boolean {
  const tags = read(headers, 'if-none-match');
  return tags === 'any' || tags?.some(({ opaque }) => `"${opaque}"` === etag.replace(/^W\//, '')) === true;
}

function read(headers: Request['headers'], name: 'if-match' | 'if-none-match'): 'any' | EntityTag[] | undefined {
  const header = headers[name];
  if (header === undefined) return undefined;
  const tags = parseTags(header);
  if (tags !== undefined) return tags;
  const pointer = name === 'if-match' ? 'If-Match' : 'If-None-Match';
  const detail = 'must be a list of ETags, or *';
  throw httpError('invalid-request', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] });
}
