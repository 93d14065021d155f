import { isIP } from 'node:net';
import { buildConnector, Client } from 'undici';
import { ADDRESS_NOT_ALLOWED, type AddressPolicy } from './address-policy.js';
import { InterimResponses } from './interim-responses.js';
import type { CheckedResolver } from './checked-resolver.js';
import { ConnectFailure, toConnectFailure } from './send-outcome.js';

/** Idle connections over all origins; above it the longest idle one is closed. */
const IDLE_MAX = 1_000;
const RESPONSE_HEAD_BYTES_MAX = 16_384;
/** How long an idle socket is kept for an origin that sends no `Keep-Alive: timeout=`. */
const KEEP_ALIVE_MS = 15_000;
const KEEP_ALIVE_MAX_MS = 60_000;
const TLS_SESSIONS_MAX = 1_000;

/** One socket, open or not yet; at most one request at a time. */
export interface Connection {
  readonly origin: string;
  readonly client: Client;
  /** Whose share the name's look-up counts against, if the socket has to be connected. */
  share: string;
  /** Cancels such a look-up. */
  readonly givenUp: AbortController;
  /** Responses received over the current socket: the other side may close a socket that has served one just as we write to it again. */
  answered: number;
  /** Of the current socket. */
  interim: InterimResponses | undefined;
  idle: boolean;
}

/**
 * Keep-alive connections per origin. Every socket of the product to a tenant's address is opened by the connector below.
 *
 * Not undici's `Pool`: it never drops a client once made, does not show whether a request used an already used socket, and opens a second
 * connection for a strictly sequential sender, because a client counts as busy until the next turn of the event loop.
 */
export class Connections {
  private readonly connect: buildConnector.connector;
  /** Per origin, the last used at the end: the warmest is taken first, and the surplus of a burst ages out. */
  private readonly idle = new Map<string, Connection[]>();
  /** The same connections, the longest idle first. */
  private readonly idleByAge = new Set<Connection>();
  private busy = 0;
  private drained: (() => void) | undefined;

  constructor(
    policy: AddressPolicy,
    private readonly resolver: CheckedResolver,
    connectTimeoutMs: number,
    private readonly idleMax = IDLE_MAX,
  ) {
    this.connect = checkedConnector(policy, resolver, connectTimeoutMs);
  }

  /** An idle connection if there is one; `fresh` requires a new socket. The caller must end it with exactly one `release` or `discard`. */
  acquire(origin: string, share: string, fresh = false): Connection {
    this.busy++;
    const idle = fresh ? undefined : this.idle.get(origin)?.at(-1);
    if (!idle) return this.open(origin, share);
    this.withdraw(idle);
    idle.share = share;
    return idle;
  }

  release(connection: Connection): void {
    connection.idle = true;
    const siblings = this.idle.get(connection.origin);
    if (siblings) siblings.push(connection);
    else this.idle.set(connection.origin, [connection]);
    this.idleByAge.add(connection);
    if (this.idleByAge.size > this.idleMax) {
      const [oldest] = this.idleByAge;
      void this.closeIdle(oldest!);
    }
    this.leave();
  }

  /** Destroys the socket, and with it any request on it. */
  discard(connection: Connection): void {
    connection.givenUp.abort();
    void connection.client.destroy();
    this.leave();
  }

  get idleCount(): number {
    return this.idleByAge.size;
  }

  /** Resolves when every connection in use has been returned and all are closed. */
  async close(): Promise<void> {
    if (this.busy > 0) await new Promise<void>((resolve) => (this.drained = resolve));
    await Promise.all([...this.idleByAge].map((connection) => this.closeIdle(connection)));
  }

  private open(origin: string, share: string): Connection {
    const givenUp = new AbortController();
    const client = new Client(origin, {
      connect: (options, callback) =>
        this.resolver.onBehalfOf({ share: connection.share, signal: givenUp.signal }, () =>
          this.connect(options, (...[error, socket]) => {
            if (error) return callback(error, null);
            connection.interim = InterimResponses.of(socket!);
            callback(null, socket!);
          }),
        ),
      pipelining: 1,
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_MS,
      // The sender's own deadline bounds both; undici's would only add timers that a slow-dripping response refreshes.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const connection: Connection = { origin, client, share, givenUp, answered: 0, interim: undefined, idle: false };
    client.on('disconnect', () => {
      connection.answered = 0;
      if (connection.idle) void this.closeIdle(connection);
    });
    return connection;
  }

  private closeIdle(connection: Connection): Promise<void> {
    this.withdraw(connection);
    return connection.client.destroy();
  }

  private withdraw(connection: Connection): void {
    connection.idle = false;
    this.idleByAge.delete(connection);
    const siblings = this.idle.get(connection.origin)!;
    siblings.splice(siblings.lastIndexOf(connection), 1);
    if (siblings.length === 0) this.idle.delete(connection.origin);
  }

  private leave(): void {
    this.busy--;
    if (this.busy === 0) this.drained?.();
  }
}

/** Literals are checked here, because sockets do not look them up; names are checked by the resolver. */
function checkedConnector(policy: AddressPolicy, resolver: CheckedResolver, timeout: number): buildConnector.connector {
  const connect = buildConnector({
    timeout,
    lookup: resolver.lookup,
    maxCachedSessions: TLS_SESSIONS_MAX,
    rejectUnauthorized: true,
  });
  return (options, callback) => {
    if (isIP(options.hostname) !== 0 && policy.checkAddress(options.hostname) === 'refused') {
      // Never synchronously: undici expects connectors to call back later.
      process.nextTick(callback, new ConnectFailure('refused', ADDRESS_NOT_ALLOWED), null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error) callback(toConnectFailure(error, options.protocol), null);
      else callback(null, socket!);
    });
  };
}
