import { Socket } from 'node:net';
import type { ClientConfig } from 'pg';

type Loss = 'none' | 'request' | 'reply';

/**
 * Connections that break exactly where a test wants: before a request is sent, or after the server has done its work and before the client
 * gets the response. The client sees a connection reset, as after a network failure.
 */
export class LossyConnection {
  private readonly sockets = new Set<Socket>();
  private loss: Loss = 'none';
  private awaited: string | undefined;
  /** Everything that was sent, in chunks. */
  readonly sent: string[] = [];
  /** How often a connection was broken. */
  losses = 0;

  constructor(private readonly connection: ClientConfig) {}

  get config(): ClientConfig {
    return { ...this.connection, stream: () => this.open() };
  }

  /** The next request is never received. */
  loseNextRequest(): void {
    this.loss = 'request';
  }

  /** The next request takes effect; its response never arrives. */
  loseNextReply(): void {
    this.loss = 'reply';
  }

  /** The next request with this text takes effect; its response never arrives. */
  loseReplyTo(text: string): void {
    this.awaited = text;
  }

  /** Breaks all connections; the server does not notice as long as it is busy with a statement. */
  cutAll(): void {
    for (const socket of this.sockets) this.cut(socket);
  }

  private open(): Socket {
    const socket = new Socket();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    const { emit, write } = socket;
    socket.emit = (event: string, ...args: unknown[]): boolean => {
      if (event === 'data' && this.loss === 'reply') return this.cut(socket);
      return Reflect.apply(emit, socket, [event, ...args]) as boolean;
    };
    // Not earlier: connecting puts the original back.
    socket.once('connect', () => {
      socket.write = (...args: unknown[]): boolean => {
        if (this.loss === 'request') return this.cut(socket);
        const text = String(args[0]);
        this.sent.push(text);
        if (this.awaited !== undefined && text.includes(this.awaited)) {
          this.loss = 'reply';
          this.awaited = undefined;
        }
        return Reflect.apply(write, socket, args) as boolean;
      };
    });
    return socket;
  }

  private cut(socket: Socket): false {
    this.loss = 'none';
    this.losses++;
    socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    return false;
  }
}
