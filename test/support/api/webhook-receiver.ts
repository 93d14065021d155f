import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The received bytes as UTF-8. */
  readonly text: string;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
}

/** What the endpoint does with one request; the default is 204. */
export interface Reaction {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Responds only after this has resolved. */
  readonly after?: Promise<unknown>;
  /** Never responds. */
  readonly hang?: boolean;
  /** Sends the head and one byte, and never ends. */
  readonly drip?: boolean;
  /** Cuts the connection without a response. */
  readonly close?: boolean;
}

type Script = (request: Received, nth: number) => Reaction;

/** A webhook endpoint on loopback that reacts as the test wants and records all requests in order. */
export class WebhookReceiver {
  readonly requests: Received[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();
  private readonly queue: Reaction[] = [];
  private script: Script = () => ({});

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on('request', (request, response) => void receiver.take(request, response));
    server.on('connection', (socket) => {
      receiver.sockets.add(socket);
      socket.once('close', () => receiver.sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** For each request without a reaction by `next`. */
  always(script: Script | Reaction): this {
    this.script = typeof script === 'function' ? script : () => script;
    return this;
  }

  /** For the next requests, one each. */
  next(...reactions: readonly Reaction[]): this {
    this.queue.push(...reactions);
    return this;
  }

  /** The first `count` requests, as soon as they have arrived. */
  async received(count: number, withinMs = 15_000): Promise<readonly Received[]> {
    const deadline = Promise.withResolvers<void>();
    const late = new Error(`Not ${count} requests within ${withinMs} ms`); // made here, so that its stack names the caller
    const timer = setTimeout(() => {
      late.message += `, only: ${this.requests.map(({ headers }) => String(headers['x-event-id'])).join(' ')}`;
      deadline.reject(late);
    }, withinMs);
    try {
      while (this.requests.length < count) await Promise.race([this.another(), deadline.promise]);
    } finally {
      clearTimeout(timer);
    }
    return this.requests.slice(0, count);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }

  private another(): Promise<void> {
    return new Promise((resolve) => this.waiting.add(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received: Received = {
      method: request.method!,
      path: request.url!,
      headers: request.headers,
      text: Buffer.concat(chunks).toString('utf8'),
      at: performance.now(),
    };
    this.requests.push(received);
    for (const wake of this.waiting) wake();
    this.waiting.clear();
    await this.react(this.queue.shift() ?? this.script(received, this.requests.length), response);
  }

  private async react(reaction: Reaction, response: ServerResponse): Promise<void> {
    if (reaction.hang) return;
    if (reaction.close) return void response.destroy();
    await reaction.after;
    response.writeHead(reaction.status ?? 204, reaction.headers);
    if (reaction.drip) response.write('.');
    else response.end(reaction.body);
  }
}
