import { isCodeOf, reasonOf, type FailurePhase, type Reason } from './failure-reasons.js';

/** The outcome of one request. `durationMs` is exact to a hundredth. */
export type SendOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      /** What `Retry-After` asks for, uncapped; only for statuses other than 2xx. */
      readonly retryAfterMs?: number;
      readonly durationMs: number;
      /** The beginning of the body, only for statuses other than 2xx. */
      readonly excerpt?: string;
    }
  | { readonly kind: 'failure'; readonly phase: FailurePhase; readonly error: string; readonly durationMs: number }
  /** The caller's signal fired, or the sender was closed: whether the receiver got the request is unknown, so it counts as no attempt. */
  | { readonly kind: 'aborted' };

/** No connection was made. The message is shown to the tenant: it contains no address. */
export class ConnectFailure extends Error {
  constructor(
    readonly phase: 'refused' | 'dns' | 'connect' | 'tls',
    override readonly message: Reason,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ConnectFailure';
  }
}

/** What arrived is not a usable response. */
export class InvalidResponse extends Error {
  constructor(override readonly message: Reason) {
    super(message);
    this.name = 'InvalidResponse';
  }
}

/** What undici throws when the other side closes or resets an open connection. */
const CONNECTION_LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Codes of the handshake, or later: with TLS 1.3 a client learns only afterwards that its certificate is missing. */
const OF_TLS = /^ERR_(SSL|TLS|OSSL)_|^EPROTO$/;

const codeOf = (error: Error): string | undefined => (error as NodeJS.ErrnoException).code;

export const isConnectionLost = (error: Error): boolean => CONNECTION_LOST.has(codeOf(error) ?? '');

export function toConnectFailure(error: Error, protocol: string): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const code = codeOf(error);
  const opened = isConnectionLost(error) || !isCodeOf('connect', code);
  const phase = protocol === 'https:' && opened ? 'tls' : 'connect';
  return new ConnectFailure(phase, reasonOf(phase, code), { cause: error });
}

/** In which phase a request without a response failed, and the words for it. */
export function toFailure(error: Error): { readonly phase: FailurePhase; readonly error: Reason } {
  if (error instanceof ConnectFailure) return { phase: error.phase, error: error.message };
  if (error instanceof InvalidResponse) return { phase: 'response', error: error.message };
  const code = error.name === 'HTTPParserError' ? 'HPE_' : codeOf(error);
  const phase = isCodeOf('refused', code) ? 'refused' : OF_TLS.test(code ?? '') ? 'tls' : 'response';
  return { phase, error: reasonOf(phase, code) };
}
