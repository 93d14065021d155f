import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { DomainError } from '../../kernel/domain-error.js';
import { httpError } from './http-errors.js';
import type { Reply, Request } from './request.js';

/** 16 KiB would allow thousands of short ones, of which Node silently drops those beyond 1,000. */
const HEADERS_MAX = 200;

const REFUSAL = Symbol('refusal');
type Marked = IncomingMessage & { [REFUSAL]?: DomainError };

/**
 * For Fastify's `frameworkErrors`: an address that the router cannot parse (broken percent-encoding, a parameter without an end) is routed
 * once more as a readable one, so that the usual stages refuse, log and count it.
 */
export function routeUnreadable(error: { readonly statusCode?: number }, request: Request, reply: Reply): void {
  const raw: Marked = request.raw;
  raw[REFUSAL] =
    error.statusCode === 414
      ? httpError('address-too-long', 'A part of the path is longer than any name.')
      : brokenEncoding('path');
  // Not shown as `instance`: it is not an address.
  raw.url = '*';
  request.server.routing(raw, reply.raw);
}

/** Refuses what Node and the router would accept, or refuse in their own form. */
export function refuseUnreadable(fastify: FastifyInstance): void {
  let stopping = false;
  fastify.addHook('preClose', (done) => {
    stopping = true;
    done();
  });
  // Without a listener Node sends an empty 417.
  fastify.server.on('checkExpectation', (request, response) => fastify.routing(request, response));
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = stopping
      ? httpError('stopping', 'This instance is stopping; use another.', { retryAfterSeconds: 1 })
      : (refusedAddress(request) ?? refusedHead(request, reply));
    if (refusal) done(refusal);
    else done();
  });
}

/** PostgreSQL accepts no NUL in a text, so no name can contain one. */
function refusedAddress({ raw, url }: Request): DomainError | undefined {
  const marked = (raw as Marked)[REFUSAL];
  if (marked || !url.includes('%')) return marked;
  if (url.includes('%00')) return httpError('invalid-request', 'The address must not contain NUL characters.');
  try {
    decodeURIComponent(url);
    return undefined;
  } catch {
    return brokenEncoding('query');
  }
}

const brokenEncoding = (part: string): DomainError =>
  httpError('invalid-request', `The ${part} of the address is not percent-encoded UTF-8.`);

/**
 * There must be one Host header (RFC 9112, 3.2): Node joins two, and a proxy may have used the other one. The only transfer coding is
 * `chunked`, once (6.1): a party that reads it otherwise sees another end of the body. HTTP/1.0 has none.
 */
function refusedHead({ raw, headers }: Request, reply: Reply): DomainError | undefined {
  const { host, expect, 'transfer-encoding': coding } = headers;
  const old = raw.httpVersion !== '1.1';
  if (host === undefined ? !old : host.includes(','))
    return httpError('invalid-request', 'There must be one Host header.');
  if (raw.rawHeaders.length > 2 * HEADERS_MAX)
    return httpError('head-too-large', `The head may have at most ${HEADERS_MAX} headers.`);
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return httpError('expectation-failed', 'The only supported expectation is 100-continue.');
  if (coding === undefined) return undefined;
  if (old || coding.toLowerCase() !== 'chunked') reply.header('connection', 'close');
  if (old) return httpError('invalid-request', 'HTTP/1.0 has no Transfer-Encoding.');
  if (coding.toLowerCase() === 'chunked') return undefined;
  return httpError('not-implemented', 'The only supported transfer coding is chunked, once.');
}
