import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/domain-error.js';
import { asDomainError } from '../postgres/database.js';
import { RepeatedLines } from '../telemetry/repeated-lines.js';
import { lingerOnClose } from './linger-on-close.js';
import { httpError } from './http-errors.js';
import { HttpMetrics } from './http-metrics.js';
import { PROBLEM_MEDIA_TYPE, statusOf, toProblem } from './problem.js';
import { noteLimit, wholeSeconds } from './rate-limit-headers.js';
import type { Reply, Request } from './request.js';

/** The one place where an error becomes a response. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly refusals: RepeatedLines;

  constructor(
    private readonly log: PinoLogger,
    private readonly metrics: HttpMetrics,
    clock: Clock,
  ) {
    this.refusals = new RepeatedLines(clock);
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const reply = http.getResponse<Reply>();
    const expected = toDomainError(error);
    const status = statusOf(expected.kind);
    this.metrics.refused(expected.code);
    if (status === 500 || status === 503) this.report(error, expected, request, status);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    const { retryAfterSeconds, limit } = expected.extensions;
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(wholeSeconds(retryAfterSeconds)));
    if (limit) noteLimit(request, limit);
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="event-store", ApiKey realm="event-store"');
    // `*` is not a URI reference; it also stands for an unreadable address.
    const instance = request.url === '*' ? '' : request.url.split('?', 1)[0]!;
    const problem = toProblem(expected, { instance, correlationId: request.correlationId });
    lingerOnClose(request.raw);
    reply.status(status).header('content-type', PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
  }

  private report(error: unknown, expected: DomainError, request: Request, status: number): void {
    const { correlationId, method } = request;
    const fields = {
      correlationId,
      method,
      route: request.routeOptions?.url,
      code: expected.code,
      err: expected.cause ?? error,
    };
    if (status === 500) return this.log.error(fields, 'request failed');
    const line = this.refusals.admit(expected.code);
    if (line) this.log.warn({ ...fields, ...line }, 'request refused');
  }
}

/** Converts errors of frameworks and drivers to those of the registry. */
export function toDomainError(error: unknown): DomainError {
  const known = asDomainError(error);
  if (known instanceof DomainError) return known;
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error.message, error);
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (typeof statusCode === 'number' && statusCode < 500) return fromStatus(statusCode, message ?? '', error);
  return httpError('internal-error', 'unexpected', {}, { cause: error });
}

function fromStatus(status: number, message: string, cause: unknown): DomainError {
  switch (status) {
    case 404:
      return httpError('route-not-found', 'There is no such route.', {}, { cause });
    case 406:
      return httpError('not-acceptable', message, {}, { cause });
    case 408:
      return httpError('request-timeout', 'The request did not arrive in time.', {}, { cause });
    case 413:
      return httpError('body-too-large', 'The body is larger than this route allows.', {}, { cause });
    case 414:
      return httpError('address-too-long', 'The address is too long.', {}, { cause });
    case 415:
      return httpError('unsupported-media-type', 'This route does not accept that content type.', {}, { cause });
    case 503:
      return httpError('overloaded', message, { retryAfterSeconds: 1 }, { cause });
    default:
      return status < 500
        ? httpError('invalid-request', 'The request could not be understood.', {}, { cause })
        : httpError('internal-error', 'unexpected', {}, { cause });
  }
}
