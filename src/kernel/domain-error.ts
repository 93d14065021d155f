import type { LimitLeft } from './limit-left.js';

/** What went wrong, in the words of the domain; one table in platform/http turns a kind into a status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'conflict'
  | 'gone'
  | 'precondition-failed'
  | 'timeout'
  | 'too-large'
  | 'address-too-long'
  | 'head-too-large'
  | 'expectation-failed'
  | 'unsupported'
  | 'unprocessable'
  | 'precondition-required'
  | 'throttled'
  | 'not-implemented'
  | 'unavailable'
  | 'internal';

/** One entry of the closed error registry: the code is stable, the title is fixed for the code. */
export interface ErrorDefinition {
  readonly kind: ErrorKind;
  readonly title: string;
}

/** A field that is wrong: `pointer` is a JSON pointer (RFC 6901) into the body, or `?name` for a query parameter. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorExtensions {
  /** All fields that are wrong. */
  readonly errors?: readonly FieldError[];
  /** Seconds after which the same call may succeed; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** The limit that was exhausted; becomes `RateLimit`. */
  readonly limit?: LimitLeft;
  readonly [name: string]: unknown;
}

/** An expected failure. `detail` is written for the client; `cause` is for the log only. */
export class DomainError extends Error {
  constructor(
    readonly code: string,
    readonly kind: ErrorKind,
    readonly title: string,
    detail: string,
    readonly extensions: ErrorExtensions = {},
    options: { cause?: unknown } = {},
  ) {
    super(detail, options);
    this.name = 'DomainError';
  }
}

export type ErrorRegistry = Readonly<Record<string, ErrorDefinition>>;

const registries: ErrorRegistry[] = [];

/**
 * Declares the errors of one context or platform part and returns a constructor for them:
 * `const fail = defineErrors({'topic-not-found': {kind: 'not-found', title: 'Topic not found'}})`, then
 * `throw fail('topic-not-found', 'There is no topic "orders".')`.
 */
export function defineErrors<const R extends ErrorRegistry>(registry: R) {
  registries.push(registry);
  return (
    code: keyof R & string,
    detail: string,
    extensions: ErrorExtensions = {},
    options: { cause?: unknown } = {},
  ): DomainError => {
    const definition = registry[code] as ErrorDefinition;
    return new DomainError(code, definition.kind, definition.title, detail, extensions, options);
  };
}

/** Every error that loaded modules declare: docs/errors.md and OpenAPI are checked against it. */
export function allErrors(): ReadonlyMap<string, ErrorDefinition> {
  const all = new Map<string, ErrorDefinition>();
  for (const registry of registries) {
    for (const [code, definition] of Object.entries(registry)) {
      if (all.has(code)) throw new Error(`error code ${code} is declared twice`);
      all.set(code, definition);
    }
  }
  return all;
}

/** Whether it is the expected failure with this code. */
export const isCode = (error: unknown, code: string): boolean => error instanceof DomainError && error.code === code;

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
