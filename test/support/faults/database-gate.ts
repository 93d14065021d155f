import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { startEmbeddedServer, type EmbeddedServer } from '../../../src/platform/postgres/embedded/index.js';

const ignore = (): void => undefined;

/**
 * A PostgreSQL for one test behind a fixed address: the server can be stopped and started again, and the network in front of
 * it can go silent, as when a cable is pulled.
 */
export class GatedDatabase {
  private readonly pairs = new Set<Socket>();
  private silent = false;

  private constructor(
    private readonly dataDir: string,
    private server: EmbeddedServer | undefined,
    private readonly gate: Server,
    readonly connection: ClientConfig,
  ) {}

  static async start(): Promise<GatedDatabase> {
    const dataDir = await mkdtemp(join(tmpdir(), 'event-store-test-'));
    const server = await launch(dataDir);
    const gate = createServer();
    gate.listen(0, '127.0.0.1');
    await once(gate, 'listening');
    const { user, password, database } = server.connection;
    const address = { host: '127.0.0.1', port: (gate.address() as AddressInfo).port };
    const gated = new GatedDatabase(dataDir, server, gate, { ...address, user, password, database });
    gate.on('connection', (client) => gated.pass(client));
    return gated;
  }

  /** Ends the process and all connections. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await server?.stop();
  }

  async startAgain(): Promise<void> {
    this.server = await launch(this.dataDir);
  }

  /** Connections stay open without any data; new ones are accepted and get no response. */
  fallSilent(): void {
    this.silent = true;
    for (const socket of this.pairs) socket.pause().unpipe();
  }

  /** New connections work again; those that were silent are dead. */
  speakAgain(): void {
    this.silent = false;
    this.cut();
  }

  async drop(): Promise<void> {
    this.gate.close();
    this.cut();
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private cut(): void {
    for (const socket of this.pairs) socket.destroy();
  }

  private pass(client: Socket): void {
    this.pairs.add(client);
    client.on('error', ignore).once('close', () => this.pairs.delete(client));
    if (this.silent) return;
    if (!this.server) return void client.destroy();
    const { host, port } = this.server.connection;
    const inner = connect(join(host, `.s.PGSQL.${port}`));
    this.pairs.add(inner);
    inner.on('error', ignore).once('close', () => {
      this.pairs.delete(inner);
      client.destroy();
    });
    client.once('close', () => inner.destroy());
    client.pipe(inner).pipe(client);
  }
}

const launch = (dataDir: string): Promise<EmbeddedServer> =>
  startEmbeddedServer({ dataDir, log: { info: ignore, warn: ignore, error: ignore } });
