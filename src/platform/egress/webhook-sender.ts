import { WallClock, type Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/domain-error.js';
import { boundedMap } from '../limits/bounded-map.js';
import { ADDRESS_NOT_ALLOWED, type AddressPolicy } from './address-policy.js';
import { Connections } from './connections.js';
import { Exchange } from './exchange.js';
import type { CheckedResolver } from './checked-resolver.js';
import type { SendOutcome } from './send-outcome.js';

export interface WebhookSenderOptions {
  readonly policy: AddressPolicy;
  readonly resolver: CheckedResolver;
  /** Until the connection is established, including the name's resolution and TLS. Accurate to half a second. */
  readonly connectTimeoutMs?: number;
  /** Wall clock: `Retry-After` may be a date. */
  readonly clock?: Clock;
}

export interface SendRequest {
  readonly url: string;
  /** Requests of one share have a few look-ups of names at once; those of another do not wait for them. */
  readonly share: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** In total, from the name's resolution to the last byte of the response. */
  readonly timeoutMs: number;
  /** Ends the request: as `aborted`, unless the head of the response has arrived. */
  readonly signal?: AbortSignal;
}

interface Target {
  readonly origin: string;
  readonly path: string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const TARGETS_MAX = 10_000;
const ABORTED: SendOutcome = { kind: 'aborted' };

/**
 * POSTs to addresses that tenants chose. The URL is checked by its text, and every connection by the address that it really uses. Redirects
 * are responses like any other: nothing is followed, no proxy setting of the environment is used, no cookie is kept. The caller limits how
 * many requests run at once.
 */
export class WebhookSender {
  private readonly policy: AddressPolicy;
  private readonly connections: Connections;
  private readonly now: () => number;
  /** URLs that passed the policy, already parsed: parsing and checking one costs 3 µs, and lanes send to the same one repeatedly. */
  private readonly targets = boundedMap<Target>(TARGETS_MAX);
  private closed = false;

  constructor({
    policy,
    resolver,
    connectTimeoutMs = CONNECT_TIMEOUT_MS,
    clock = new WallClock(),
  }: WebhookSenderOptions) {
    this.policy = policy;
    this.connections = new Connections(policy, resolver, connectTimeoutMs);
    this.now = () => clock.now();
  }

  /** Never rejects because of the network or the receiver. */
  send({ url, share, headers, body, timeoutMs, signal }: SendRequest): Promise<SendOutcome> {
    if (this.closed || signal?.aborted) return Promise.resolve(ABORTED);
    const target = this.targets.peek(url) ?? this.targetOf(url);
    if (typeof target === 'string') {
      return Promise.resolve({ kind: 'failure', phase: 'refused', error: target, durationMs: 0 });
    }
    const { origin, path } = target;
    return new Promise((resolve) => {
      const dispatch = { method: 'POST', path, headers, body } as const;
      new Exchange(this.connections, { origin, share, dispatch, timeoutMs, signal, now: this.now }, resolve).start();
    });
  }

  /** New requests resolve as `aborted`; resolves when those in flight have ended, at the latest by their deadlines. */
  async close(): Promise<void> {
    this.closed = true;
    await this.connections.close();
  }

  /** The target, or why the URL is not usable. */
  private targetOf(raw: string): Target | string {
    try {
      const { origin, pathname, search } = this.policy.checkUrl(raw);
      const target = { origin, path: pathname + search };
      this.targets.set(raw, target);
      return target;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return error.code === 'webhook-address-refused' ? ADDRESS_NOT_ALLOWED : 'URL not valid';
    }
  }
}
