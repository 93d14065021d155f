import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOKED_AT_EVERY_MS = 50;

/**
 * The connections of a server, so that a stop waits for the answers under way and for nothing else. Node closes idle connections once,
 * when the server begins to close: a stream that ends after that, and a connection on which nothing was ever asked (browsers and
 * clients open spare ones), would hold the stop until the client leaves. And it does not count those that were open before the server was
 * there (see early-listener.ts): without us the store would be taken away from what is asked on them.
 */
export class OpenConnections {
  readonly sockets: ReadonlySet<Socket>;

  private readonly server: Server;

  constructor(fastify: FastifyInstance) {
    const { server } = fastify;
    const sockets = new Set<Socket>();
    this.sockets = sockets;
    this.server = server;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    fastify.addHook('onClose', () => this.closed());
  }

  /** Closes what is not in use, again and again, and after `drainMsMax` everything; ends with a call of what it returns. */
  closeUnused(drainMsMax: number): () => void {
    const unused = setInterval(() => {
      this.server.closeIdleConnections();
      for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
    }, LOOKED_AT_EVERY_MS);
    const late = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy();
    }, drainMsMax);
    return () => {
      clearInterval(unused);
      clearTimeout(late);
    };
  }

  private async closed(): Promise<void> {
    for (const socket of this.sockets)
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  }
}
