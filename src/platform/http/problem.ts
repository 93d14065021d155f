import { DomainError, type ErrorKind } from '../../kernel/domain-error.js';

/** RFC 9457 problem details, with our stable `code` and the request's correlation id. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance: string;
  code: string;
  correlationId: string;
  [extension: string]: unknown;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  timeout: 408,
  conflict: 409,
  gone: 410,
  'precondition-failed': 412,
  'too-large': 413,
  'address-too-long': 414,
  unsupported: 415,
  'expectation-failed': 417,
  unprocessable: 422,
  'precondition-required': 428,
  throttled: 429,
  'head-too-large': 431,
  internal: 500,
  'not-implemented': 501,
  unavailable: 503,
};

export const statusOf = (kind: ErrorKind): number => STATUS[kind];

export interface ProblemContext {
  readonly instance: string;
  readonly correlationId: string;
}

/** A 500 reveals only its code: the cause is in the log under the same correlation id. */
export function toProblem(error: DomainError, { instance, correlationId }: ProblemContext): Problem {
  const status = statusOf(error.kind);
  const type = `urn:event-store:problem:${error.code}`;
  const problem: Problem = { type, title: error.title, status, instance, code: error.code, correlationId };
  if (status === 500) return problem;
  const { retryAfterSeconds: _, limit: __, ...extensions } = error.extensions;
  return { ...problem, detail: error.message, ...extensions };
}
