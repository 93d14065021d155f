import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { findBinaries } from './binaries.js';
import { ensureCluster, passwordOf, SUPERUSER } from './cluster.js';
import { DirectoryLock } from './directory-lock.js';
import { layOut, type Layout } from './layout.js';
import { answers, findPostmaster, isAlive, launch, shutDown } from './postmaster.js';
import { chooseUser } from './run-as.js';

export interface EmbeddedLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedServerOptions {
  readonly dataDir: string;
  readonly log: EmbeddedLog;
}

export interface EmbeddedConnection {
  /** The socket directory: there is no way in by the network. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const WATCH_MS = 1_000;
const RESTART_MS_MAX = 30_000;

/**
 * A real PostgreSQL under the data directory. States of a start:
 *
 *   lock ── another app holds it ──▶ refuse
 *     └─ cluster: none ─▶ initdb beside, moved in place │ other version, not a cluster ─▶ refuse │ ours
 *          └─ server: runs (the app was killed) ─▶ adopt │ none ─▶ launch
 *
 * While we run, a server that dies is started again. It stops last: see stop().
 */
export class EmbeddedServer {
  private stopped: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  private watching: Promise<void> = Promise.resolve();

  private constructor(
    readonly connection: EmbeddedConnection,
    private readonly layout: Layout,
    private readonly lock: DirectoryLock,
    private postmaster: number,
    private readonly log: EmbeddedLog,
  ) {}

  static async start({ dataDir, log }: EmbeddedServerOptions): Promise<EmbeddedServer> {
    const layout = await layOut(dataDir, await findBinaries(), chooseUser(), log);
    const lock = await DirectoryLock.take(join(layout.socketDir, 'app.lock'), layout.dataDir);
    try {
      const password = await passwordOf(layout);
      const connection = { host: layout.socketDir, port: 5432, user: SUPERUSER, password, database: 'postgres' };
      await ensureCluster(layout, password);
      const running = await adopt(layout, connection, log);
      const server = new EmbeddedServer(connection, layout, lock, running ?? (await launch(layout, connection)), log);
      server.watching = server.watch();
      return server;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  pid(): number {
    return this.postmaster;
  }

  /** Checkpoint, shutdown, and only then is the directory free. Can be called more than once. */
  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  private async shutDown(): Promise<void> {
    this.stopping.abort();
    await this.watching;
    const ended = await shutDown(this.postmaster, this.connection);
    if (!ended) this.log.error({ pid: this.postmaster }, 'PostgreSQL has not stopped; the next start adopts it');
    await this.lock.release();
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    for (let delay = WATCH_MS; !signal.aborted;) {
      await pause(delay, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted || isAlive(this.postmaster)) continue;
      this.log.error(
        { pid: this.postmaster, log: join(this.layout.dataDir, 'postgres.log') },
        'PostgreSQL has died; starting it again',
      );
      try {
        this.postmaster = await launch(this.layout, this.connection as pg.ClientConfig);
        this.log.info({ pid: this.postmaster }, 'PostgreSQL runs again');
        delay = WATCH_MS;
      } catch (err) {
        delay = Math.min(delay * 2, RESTART_MS_MAX);
        this.log.error({ err, retryMs: delay }, 'PostgreSQL could not be started again');
      }
    }
  }
}

/** A server that a killed app left behind goes on as if nothing had been. It may still be recovering: then it is waited for. */
async function adopt(layout: Layout, connection: EmbeddedConnection, log: EmbeddedLog): Promise<number | undefined> {
  const pid = await findPostmaster(layout);
  if (pid === undefined) return undefined;
  while (isAlive(pid)) {
    if (await answers(connection)) {
      log.info({ pid }, 'PostgreSQL is still running; taking it over');
      return pid;
    }
    await pause(100);
  }
  return undefined;
}

export const startEmbeddedServer = (options: EmbeddedServerOptions): Promise<EmbeddedServer> =>
  EmbeddedServer.start(options);
