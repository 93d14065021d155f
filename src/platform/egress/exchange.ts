import type { Dispatcher } from 'undici';
import type { Connection, Connections } from './connections.js';
import type { FailurePhase } from './failure-reasons.js';
import { parseRetryAfter } from './retry-after.js';
import { isConnectionLost, toFailure, type SendOutcome } from './send-outcome.js';

/** How much of a body is read; a longer one costs the connection, not the outcome. */
const BODY_BYTES_MAX = 65_536;
const EXCERPT_BYTES_MAX = 16_384;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface ExchangeOptions {
  readonly origin: string;
  readonly share: string;
  readonly dispatch: Dispatcher.DispatchOptions;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch, for `Retry-After` dates. */
  readonly now: () => number;
}

/** These have no body, whatever their headers announce (RFC 9112, 6.3). undici waits for what was announced. */
const isBodiless = (status: number): boolean => status === 204 || status === 304;

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/**
 * One request and its outcome. It is undici's handler, event listener and timer argument in one object, because this is the hot path. The
 * first of response, error, deadline and signal settles it; later ones have no effect. The deadline covers everything from the name's
 * resolution to the last byte read, so a dripping response cannot prolong it.
 *
 * Once the head of the response has arrived, its status decides, whatever happens to the body: it may break off, have the wrong length, be
 * badly chunked, not end in time, or be cut off by the signal. The receiver has said what it did; to resend what it accepted would be a
 * certain duplicate. Svix and Outpost do the same.
 *
 * The other side may close a reused connection just as we write to it. If it is lost before a response began, the request is sent once more
 * over a new socket, within the same deadline and as the same attempt: delivery is at least once, and the receiver sees the same
 * `webhook-id`.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  private readonly startedAt = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private connection!: Connection;
  private settled = false;
  private retried = false;
  private status = 0;
  private retryAfter: string | string[] | undefined;
  private bodyBytes = 0;
  private readonly excerpt: Buffer[] = [];

  constructor(
    private readonly connections: Connections,
    private readonly options: ExchangeOptions,
    private readonly resolve: (outcome: SendOutcome) => void,
  ) {}

  start(): void {
    this.timer = setTimeout(expire, this.options.timeoutMs, this);
    this.options.signal?.addEventListener('abort', this);
    this.dispatchOver(this.connections.acquire(this.options.origin, this.options.share));
  }

  /** The signal fired. */
  handleEvent(): void {
    if (this.status !== 0) return this.answer(false);
    this.settle({ kind: 'aborted' }, false);
  }

  expire(): void {
    this.fail('timeout', `no answer within ${this.options.timeoutMs} ms`);
  }

  /** undici distinguishes this kind of handler from the older one by this method. */
  onRequestStart(): void {}

  onResponseStart(_: unknown, status: number, headers: Headers): void {
    this.status = status;
    this.retryAfter = headers['retry-after'];
    if (isBodiless(status) && announcesBody(headers)) this.answer(false);
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    if (this.settled) return;
    const room = EXCERPT_BYTES_MAX - this.bodyBytes;
    if (room > 0 && !isSuccess(this.status)) this.excerpt.push(chunk.subarray(0, room));
    this.bodyBytes += chunk.length;
    if (this.bodyBytes > BODY_BYTES_MAX) this.answer(false);
  }

  onResponseEnd(): void {
    this.connection.answered++;
    this.answer(true);
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.settled) return;
    const { answered, interim } = this.connection;
    if (!this.retried && answered > 0 && !interim?.begun && isConnectionLost(error)) {
      this.retried = true;
      const lost = this.connection;
      this.dispatchOver(this.connections.acquire(this.options.origin, this.options.share, true));
      this.connections.discard(lost);
      return;
    }
    const { phase, error: reason } = toFailure(error);
    this.fail(phase, reason);
  }

  private dispatchOver(connection: Connection): void {
    this.connection = connection;
    connection.interim?.expect();
    connection.client.dispatch(this.options.dispatch, this);
  }

  private answer(reusable: boolean): void {
    const { status } = this;
    const durationMs = this.elapsed();
    if (isSuccess(status)) {
      this.settle({ kind: 'response', status, durationMs }, reusable);
      return;
    }
    const retryAfterMs = parseRetryAfter(this.retryAfter, this.options.now());
    const excerpt = this.excerpt.length > 0 ? readable(this.excerpt) : undefined;
    this.settle({ kind: 'response', status, durationMs, retryAfterMs, excerpt }, reusable);
  }

  private fail(phase: FailurePhase, error: string): void {
    if (this.status !== 0) return this.answer(false);
    this.settle({ kind: 'failure', phase, error, durationMs: this.elapsed() }, false);
  }

  private elapsed(): number {
    return Math.round((performance.now() - this.startedAt) * 100) / 100;
  }

  private settle(outcome: SendOutcome, reusable: boolean): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.timer);
    this.options.signal?.removeEventListener('abort', this);
    if (reusable) this.connections.release(this.connection);
    else this.connections.discard(this.connection);
    this.resolve(outcome);
  }
}

const announcesBody = (headers: Headers): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

function expire(exchange: Exchange): void {
  exchange.expire();
}

/** Text that any log or database accepts: no half character at the cut, no NUL (PostgreSQL's `text` refuses it). */
function readable(chunks: readonly Buffer[]): string {
  return new TextDecoder().decode(Buffer.concat(chunks), { stream: true }).replaceAll('\0', '\uFFFD');
}
