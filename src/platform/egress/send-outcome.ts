export type FailurePhase = 'refused' | 'dns' | 'connect' | 'tls' | 'timeout' | 'response';

/** What became of one request. `durationMs` is exact to a hundredth. */
export type SendOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** What `Retry-After` asks for, uncapped; only for answers other than 2xx. */
      readonly retryAfterMs?: number;
      readonly durationMs: number;
      /** The beginning of the body, only for answers other than 2xx. */
      readonly excerpt?: string;
    }
  | { readonly kind: 'failure'; readonly phase: FailurePhase; readonly error: string; readonly durationMs: number }
  /** The caller's signal fired, or the sender was closed: whether the receiver got the request is unknown, no attempt is judged. */
  | { readonly kind: 'aborted' };

/** No connection came about. The message is shown to the tenant: it holds no address. */
export class ConnectFailure extends Error {
  constructor(
    readonly phase: 'refused' | 'dns' | 'connect' | 'tls',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ConnectFailure';
  }
}

const SAID: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_SOCKET: 'connection closed before the answer was complete',
  UND_ERR_HEADERS_OVERFLOW: 'the head of the answer is too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is not as long as its Content-Length',
  UND_ERR_INVALID_ARG: 'the request cannot be sent: a header is not valid',
};

const NO_CONNECTION = new Set(['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** What undici throws when the other side closes or resets an open connection. */
const CONNECTION_LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

export const isConnectionLost = (error: Error): boolean => CONNECTION_LOST.has(codeOf(error));

/** Error messages of sockets name the resolved address, so they are told by code. */
export function describe(error: Error): string {
  if (error instanceof ConnectFailure) return error.message;
  if (error.name === 'HTTPParserError') return 'the answer is not valid HTTP';
  const code = codeOf(error);
  return SAID[code] ?? code;
}

export function toConnectFailure(error: Error, protocol: string): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const code = codeOf(error);
  const phase = protocol === 'https:' && !NO_CONNECTION.has(code) ? 'tls' : 'connect';
  return new ConnectFailure(phase, describe(error), { cause: error });
}

export function phaseOf(error: Error): FailurePhase {
  if (error instanceof ConnectFailure) return error.phase;
  return codeOf(error) === 'UND_ERR_INVALID_ARG' ? 'refused' : 'response';
}
