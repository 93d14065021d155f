import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { DomainError } from '../../kernel/domain-error.js';
import { processLogger } from '../telemetry/logger.js';
import { httpError } from './http-errors.js';
import { endLingering } from './linger-on-close.js';
import type { HttpMetrics } from './http-metrics.js';
import { PROBLEM_MEDIA_TYPE, statusOf, toProblem } from './problem.js';

/** As Node passes it to `clientError`. */
interface BrokenRequest extends Error {
  readonly code?: string;
  /** What the parser had received when it gave up. */
  readonly rawPacket?: unknown;
}

type Connection = Socket & { readonly _httpMessage?: ServerResponse | null };

const REASON: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
};
/** How long we continue to read what was sent, and discard it: see `lingerOnClose`. */
const LINGER_MS = 2_000;
/** A valid request line except that Node does not know the method. */
const OTHER_METHOD = /^[\w!#$%&'*+.^`|~-]{1,40} [\x21-\x7e]+ HTTP\/1\.[01]\r?\n/;

/**
 * Input that is not HTTP, has too long a head or is too slow never becomes a request: it is refused here, in the usual form, and the
 * connection ends.
 */
export class BrokenRequests {
  private metrics: Pick<HttpMetrics, 'refused'> | undefined;

  constructor(private readonly lingerMs = LINGER_MS) {}

  /** Refusals before the application exists are not counted: there are no metrics yet. */
  countOn(metrics: Pick<HttpMetrics, 'refused'>): void {
    this.metrics = metrics;
  }

  answer(error: BrokenRequest, socket: Connection): void {
    // A response that has begun (a stream, say) must not get another one in its middle: Node checks the same before it responds by itself.
    const { _httpMessage: answer } = socket;
    const answering = answer?.headersSent === true;
    // Clients open spare connections: a 408 on one of them would be taken for the response to the next request.
    const unused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || answering || unused) {
      socket.destroy();
      return;
    }
    this.refuse(refusalOf(error), socket);
  }

  refuse(refusal: DomainError, socket: Connection): void {
    const status = statusOf(refusal.kind);
    const correlationId = randomUUID();
    this.metrics?.refused(refusal.code);
    processLogger().info({ correlationId, status, code: refusal.code, ip: socket.remoteAddress }, 'no request');
    const body = JSON.stringify(toProblem(refusal, { instance: '', correlationId }));
    const head = [
      `HTTP/1.1 ${status} ${REASON[status]}`,
      `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Correlation-ID: ${correlationId}`,
      'X-Content-Type-Options: nosniff',
      'Cache-Control: no-store',
      'Connection: close',
    ];
    // Node removes its listeners before it hands a connection over: without one of ours a reset would end the process.
    socket.on('error', () => socket.destroy()).resume();
    endLingering(socket, this.lingerMs, `${head.join('\r\n')}\r\n\r\n${body}`);
  }
}

function refusalOf({ code, rawPacket }: BrokenRequest): DomainError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return httpError('request-timeout', 'The request did not arrive in time.');
    case 'HPE_HEADER_OVERFLOW':
      return httpError('head-too-large', 'The head may have at most 16 KiB.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return httpError('body-too-large', 'The extensions of a chunk may have at most 16 KiB.');
    case 'HPE_INVALID_METHOD':
      if (Buffer.isBuffer(rawPacket) && OTHER_METHOD.test(rawPacket.toString('latin1')))
        return httpError('not-implemented', 'No resource has this method; method names are in capitals.');
  }
  return httpError('invalid-request', 'This is not HTTP/1.1.');
}
