import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

const LOOKED_AT_EVERY_MS = 50;

/**
 * The connections of a server, so that a stop waits only for responses in progress. Node closes idle connections once, when the server
 * begins to close: a stream that ends after that, and a connection without any request (browsers and clients open spare ones), would delay
 * the stop until the client leaves. And it does not count connections from before the server existed (see early-listener.ts): without us
 * the store would be closed under their requests.
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

  /** Repeatedly closes unused connections, and after `drainMsMax` all of them; the returned function ends that. */
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
