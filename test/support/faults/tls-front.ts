import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import type { ClientConfig } from 'pg';

const DIRECTORY = join(import.meta.dirname, 'tls');
/** Made with openssl for these tests alone; the server's certificate is for `localhost`, and valid until 2126. */
export const CA_FILE = join(DIRECTORY, 'ca.pem');
export const OTHER_CA_FILE = join(DIRECTORY, 'other-ca.pem');
/** https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest */
const SSL_REQUEST = 80_877_103;

const ignore = (): void => undefined;

/** PostgreSQL as it looks with `ssl=on`, or off: the embedded one listens on a socket only, where there is no TLS. */
export class TlsFront {
  /** How each connection that reached PostgreSQL was made. */
  readonly connections: ('encrypted' | 'plain')[] = [];

  private constructor(
    private readonly server: Server,
    private readonly to: ClientConfig,
  ) {}

  static async start(to: ClientConfig, { ssl }: { readonly ssl: boolean }): Promise<TlsFront> {
    const server = createServer();
    const front = new TlsFront(server, to);
    const context = createSecureContext({
      cert: readFileSync(join(DIRECTORY, 'server.pem')),
      key: readFileSync(join(DIRECTORY, 'server.key')),
    });
    server.on('connection', (client) => {
      client.on('error', ignore).once('data', (chunk: Buffer) => {
        if (chunk.length !== 8 || chunk.readInt32BE(4) !== SSL_REQUEST) {
          client.unshift(chunk);
          front.pass(client, 'plain');
        } else if (ssl) {
          client.write('S');
          const secured = new TLSSocket(client, { isServer: true, secureContext: context });
          secured.on('error', ignore).once('secure', () => front.pass(secured, 'encrypted'));
        } else client.write('N');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return front;
  }

  urlFor(host: 'localhost' | '127.0.0.1', parameters: string): string {
    const { user, password, database } = this.to;
    const { port } = this.server.address() as AddressInfo;
    return `postgres://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${database}?${parameters}`;
  }

  async stop(): Promise<void> {
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(client: Duplex, how: 'encrypted' | 'plain'): void {
    const { host = 'localhost', port } = this.to;
    const inner: Socket = host.startsWith('/')
      ? connect(join(host, `.s.PGSQL.${port}`))
      : connect({ host, port: port! });
    this.connections.push(how);
    inner.on('error', ignore).once('close', () => client.destroy());
    client.once('close', () => inner.destroy());
    client.pipe(inner).pipe(client);
  }
}
