import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { DomainError } from '../../kernel/domain-error.js';
import { processLogger } from '../telemetry/logger.js';
import { httpError } from './http-errors.js';
import type { HttpMetrics } from './http-metrics.js';
import { PROBLEM_MEDIA_TYPE, statusOf, toProblem } from './problem.js';

/** As Node gives it to `clientError`. */
interface BrokenRequest extends Error {
  readonly code?: string;
  /** What the parser was fed when it gave up. */
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
/**
 * So long we go on reading what was sent, and throw it away: a connection that is closed over unread bytes is reset, and the answer lost
 * (RFC 9112, 9.6).
 */
const LINGER_MS = 2_000;
/** A request line in which only the method is none that Node knows. */
const OTHER_METHOD = /^[\w!#$%&'*+.^`|~-]{1,40} [\x21-\x7e]+ HTTP\/1\.[01]\r?\n/;

/**
 * What is no HTTP, too long in its head or too slow never becomes a request: it is answered here, as every refusal is, and the connection
 * ends.
 */
export class BrokenRequests {
  private metrics: Pick<HttpMetrics, 'refused'> | undefined;

  constructor(private readonly lingerMs = LINGER_MS) {}

  /** What was refused before the application was made is on no count: nothing listens then. */
  countOn(metrics: Pick<HttpMetrics, 'refused'>): void {
    this.metrics = metrics;
  }

  answer(error: BrokenRequest, socket: Connection): void {
    // An answer that has begun (a stream, say) must not get another one into its middle: Node asks the same before it answers by itself.
    const { _httpMessage: answer } = socket;
    const answering = answer?.headersSent === true;
    // Clients open connections to spare: a 408 on one of them would be taken for the answer to what is just being asked.
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
    // Node takes its listeners off before it hands a connection over: without one of ours a reset would end the process. And `end` closes
    // our half only: a client that keeps its own open would hold the connection, and a stop, for ever.
    socket.on('error', () => socket.destroy()).resume();
    const late = setTimeout(() => socket.destroy(), this.lingerMs);
    socket.once('close', () => clearTimeout(late)).end(`${head.join('\r\n')}\r\n\r\n${body}`);
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
        return httpError('not-implemented', 'No resource knows this method; names of methods are in capitals.');
  }
  return httpError('invalid-request', 'This is not HTTP/1.1.');
}
