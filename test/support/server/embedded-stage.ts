import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientConfig } from 'pg';
import { startEmbeddedServer, type EmbeddedServer } from '../../../src/platform/postgres/embedded/index.js';
import { startEmbeddedApp, type EmbeddedApp } from './embedded-app.js';
import { connect } from './postgres.js';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

/** What a test of the embedded PostgreSQL needs, and its clean-up: no process and no directory outlives `clear`. */
export class EmbeddedStage {
  readonly lines: LogLine[] = [];
  private readonly servers: EmbeddedServer[] = [];
  private readonly apps: EmbeddedApp[] = [];
  private readonly clusters = new Set<string>();
  private readonly sockets = new Set<string>();
  private readonly waiting: { readonly message: string; readonly resolve: () => void }[] = [];

  private constructor(
    /** Readable by every user. */
    readonly root: string,
    readonly systemDir: string,
  ) {}

  static async set(): Promise<EmbeddedStage> {
    const root = await mkdtemp(join(tmpdir(), 'event-store-stage-'));
    await chmod(root, 0o755);
    return new EmbeddedStage(root, join(root, 'system'));
  }

  get dataDir(): string {
    return join(this.root, 'data');
  }

  get clusterDir(): string {
    return join(this.dataDir, 'postgres');
  }

  get pidFile(): string {
    return join(this.clusterDir, 'postmaster.pid');
  }

  /** In this process. */
  async start(dataDir = this.dataDir): Promise<EmbeddedServer> {
    const line = (level: LogLine['level']) => (_fields: object, message: string) => this.hear({ level, message });
    const log = { info: line('info'), warn: line('warn'), error: line('error') };
    const server = await startEmbeddedServer({ dataDir, systemDir: this.systemDir, log });
    this.servers.push(server);
    await this.remember(server.connection);
    return server;
  }

  /** In another process, to be killed. */
  async startApp(identity: { readonly uid?: number; readonly gid?: number } = {}): Promise<EmbeddedApp> {
    const { app: starting } = startEmbeddedApp(this.dataDir, this.systemDir, identity);
    const app = await starting;
    this.apps.push(app);
    await this.remember(app.connection);
    return app;
  }

  /** Resolves when it is logged next. */
  told(message: string): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ message, resolve }));
  }

  /** Puts another pid into the pid file. */
  async forgePid(pid: number): Promise<void> {
    const text = await readFile(this.pidFile, 'utf8');
    await writeFile(this.pidFile, text.replace(/^\d+/, String(pid)));
  }

  async clear(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await Promise.all(this.apps.map((app) => app.kill()));
    for (const cluster of this.clusters) await endServer(cluster);
    for (const directory of [...this.sockets, this.root]) await rm(directory, { recursive: true, force: true });
  }

  private hear(line: LogLine): void {
    this.lines.push(line);
    for (const { message, resolve } of this.waiting) if (message === line.message) resolve();
  }

  private async remember(connection: ClientConfig): Promise<void> {
    const parent = dirname(connection.host!);
    this.sockets.add(/^event-store-[0-9a-f]{16}$/.test(basename(parent)) ? parent : connection.host!);
    this.clusters.add(String((await ask(connection, 'SHOW data_directory'))[0]!['data_directory']));
  }
}

/** One statement on a separate connection. */
export async function ask(connection: ClientConfig, statement: string): Promise<Record<string, unknown>[]> {
  const client = await connect(connection);
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Whether a process is alive; a zombie is not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  return !/\) Z/.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z'));
}

export async function ended(pid: number): Promise<void> {
  for (const deadline = performance.now() + 20_000; await isAlive(pid); await pause(10)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} does not end`);
  }
}

/** What a killed app has left running. */
async function endServer(clusterDir: string): Promise<void> {
  const pid = Number.parseInt(await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => ''), 10);
  if (!(pid > 0) || !(await isAlive(pid))) return;
  process.kill(pid, 'SIGQUIT');
  await ended(pid);
}
