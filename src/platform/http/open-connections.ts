import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const LOOKED_AT_EVERY_MS = 50;

/**
 * The connections of a server, so that a stop waits for the answers under way and for nothing else. Node closes idle connections once,
 * when the server begins to close: a stream that ends after that, and a connection on which nothing was ever asked (browsers and
 * clients open spare ones), would hold the stop until the client leaves.
 */
export class OpenConnections {
  readonly sockets: ReadonlySet<Socket>;

  constructor(private readonly server: Server) {
    const sockets = new Set<Socket>();
    this.sockets = sockets;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  }

  /** Closes what is not in use, again and again, and after `drainMsMax` everything; ends with a call of what it returns. */
  closeUnused(drainMsMax: number): () => void {
    const unused = setInterval(() => {
      this.server.closeIdleConnections();
      for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
    }, LOOKED_AT_EVERY_MS);
    const late = setTimeout(() => this.server.closeAllConnections(), drainMsMax);
    return () => {
      clearInterval(unused);
      clearTimeout(late);
    };
  }
}
