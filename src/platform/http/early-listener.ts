import { once } from 'node:events';
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Connections beyond these limits (the store is unreachable, or has much to recover) are closed, and their clients try again. */
const HELD_MAX = { connections: 1_000, ms: 10_000 };
/** Waiting connections that are released in one turn of the event loop. */
const AT_ONCE = 8;

/**
 * Listens from the first moment of a start, before the server is even loaded, and holds connections until the server takes over: publishers
 * wait for the second that a start takes, instead of being refused. Nothing is read from a held connection.
 */
export class EarlyListener {
  private readonly held = new Map<Socket, () => void>();

  private constructor(
    private readonly server: Server,
    private readonly address: { readonly port: number; readonly host: string },
    private readonly max: typeof HELD_MAX,
  ) {
    server.maxConnections = max.connections;
    server.on('connection', (socket) => this.hold(socket));
  }

  /** Rejects as `net.Server` does if the address cannot be used: `EADDRINUSE`, `EADDRNOTAVAIL`, `ENOTFOUND`. */
  static async open(port: number, host: string, max = HELD_MAX): Promise<EarlyListener> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    const listener = new EarlyListener(server, { port, host }, max);
    server.listen(port, host);
    await once(server, 'listening');
    return listener;
  }

  /** Where it listens. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The application listens, on the same socket, and gets all waiting connections. */
  async handOver(app: NestFastifyApplication): Promise<void> {
    // Node takes over "anything with an underlying _handle member" (net.Server.listen); Fastify and Nest pass it on.
    const { _handle } = this.server as unknown as { readonly _handle: unknown };
    const options: ListenOptions & { readonly _handle: unknown } = { ...this.address, _handle };
    await app.listen(options as never);
    const http = app.getHttpServer();
    // The first get their responses while the last still wait.
    for (const [socket, release] of this.held) {
      if (this.held.size % AT_ONCE === 0) await setImmediate();
      if (!this.held.has(socket)) continue;
      release();
      http.emit('connection', socket);
      socket.resume();
    }
  }

  private hold(socket: Socket): void {
    const giveUp = (): void => void socket.destroy();
    const release = (): void => {
      this.held.delete(socket);
      socket.setTimeout(0).off('timeout', giveUp).off('error', giveUp).off('close', release);
    };
    this.held.set(socket, release);
    socket.setTimeout(this.max.ms).on('timeout', giveUp).on('error', giveUp).on('close', release);
  }
}
