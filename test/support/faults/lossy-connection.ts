import { Socket } from 'node:net';
import type { ClientConfig } from 'pg';

type Loss = 'none' | 'request' | 'reply';

/**
 * Connections that break exactly where a test wants them to: before a request leaves, or after the server has done its work and before
 * the client hears of it. The client sees a connection reset, as from a network that failed.
 */
export class LossyConnection {
  private readonly sockets = new Set<Socket>();
  private loss: Loss = 'none';
  private awaited: string | undefined;
  /** All that left, piece by piece. */
  readonly sent: string[] = [];
  /** How often a connection was broken. */
  losses = 0;

  constructor(private readonly connection: ClientConfig) {}

  get config(): ClientConfig {
    return { ...this.connection, stream: () => this.open() };
  }

  /** The next thing that is sent is never received. */
  loseNextRequest(): void {
    this.loss = 'request';
  }

  /** The next thing that is sent takes effect; its answer never arrives. */
  loseNextReply(): void {
    this.loss = 'reply';
  }

  /** The next thing that is sent and contains this text takes effect; its answer never arrives. */
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
