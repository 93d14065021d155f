import { setTimeout as pause } from 'node:timers/promises';
import { Loop } from '../../jobs/loop.js';
import { bringUp } from './bring-up.js';
import { DATABASE, ensureCluster, SUPERUSER } from './cluster.js';
import { DirectoryLock } from './directory-lock.js';
import { withAdvice } from './embedded-errors.js';
import { prepareLayout, type Layout } from './layout.js';
import { shutDown, signalShutdown, type Postmaster } from './postmaster.js';
import { removeSocketDirectory } from './socket-directory.js';

export interface EmbeddedLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedServerOptions {
  /** DATA_DIR, absolute or relative; created if it does not exist. */
  readonly dataDir: string;
  readonly log: EmbeddedLog;
  /** Where root puts the programs and the cluster if the user of PostgreSQL cannot reach them where they are. */
  readonly systemDir?: string;
}

export interface EmbeddedConnection {
  /** The socket directory: there is no access by the network. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const SYSTEM_DIR = '/var/lib/event-store';
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 30_000;
/** A server that has run this long was healthy: the next failure begins a new count. */
const HEALTHY_MS = 60_000;
const TRIM_LOG_MS = 60_000;

/**
 * A real PostgreSQL under the data directory. A start:
 *
 *   lock ── another app holds it ──▶ refuse
 *     └─ cluster: none ─▶ initdb beside, moved in place │ not a cluster, other version ─▶ refuse, nothing changed │ ours
 *          └─ server: runs (its app was killed) ─▶ adopt │ none, or a stale pid file ─▶ launch
 *
 * While we run, a server that dies is started again, forever: a store that is away for a while is better than an app that gives up. Nothing
 * here keeps the process alive.
 */
export class EmbeddedServer {
  private readonly stopping = new AbortController();
  private readonly trimming: Loop;
  private readonly supervising: Promise<void>;
  private stopped: Promise<void> | undefined;

  private constructor(
    readonly connection: EmbeddedConnection,
    private readonly layout: Layout,
    private readonly lock: DirectoryLock,
    private postmaster: Postmaster,
    private readonly log: EmbeddedLog,
  ) {
    this.supervising = this.supervise();
    this.trimming = new Loop({
      name: 'postgres-log-trimming',
      restsFirst: true,
      every: TRIM_LOG_MS,
      runOnce: () => layout.serverLog.trim(),
      onError: (err) => log.warn({ err }, 'postgres.log could not be trimmed'),
    });
    this.trimming.start();
    process.once('exit', this.endWithProcess);
  }

  static async start({ dataDir, log, systemDir = SYSTEM_DIR }: EmbeddedServerOptions): Promise<EmbeddedServer> {
    const layout = await prepareLayout({ dataDir, systemDir, log });
    const lock = await DirectoryLock.take(layout.lockDir, layout.dataDir);
    try {
      const password = await ensureCluster(layout);
      const account = { user: SUPERUSER, password, database: DATABASE };
      const { postmaster, host, port } = await bringUp(layout, account, log);
      log.info({ pid: postmaster.pid, cluster: layout.clusterDir }, 'PostgreSQL runs');
      // An adopted server may have its socket in another temporary directory; that one is used from then on.
      return new EmbeddedServer({ host, port, ...account }, { ...layout, socketDir: host }, lock, postmaster, log);
    } catch (error) {
      await leave(layout, lock);
      throw error;
    }
  }

  /** Of the server process; changes when the server died and was restarted. */
  pid(): number {
    return this.postmaster.pid;
  }

  /** Checkpoint, shutdown, and only then is the directory released. Can be called more than once. */
  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  private async shutDown(): Promise<void> {
    this.stopping.abort();
    await this.trimming.close();
    await this.supervising;
    const { clusterDir } = this.layout;
    const { pid } = this.postmaster;
    const ended = await shutDown(clusterDir, pid, this.connection);
    if (!ended) this.log.error({ pid }, 'PostgreSQL has not ended yet; the next start waits for it');
    process.off('exit', this.endWithProcess);
    await leave(this.layout, this.lock);
  }

  /** A process that ends without `stop` (an uncaught error, a second Ctrl-C) leaves nothing behind; only a killed one does. */
  private readonly endWithProcess = (): void => signalShutdown(this.layout.clusterDir, this.postmaster.pid);

  private async supervise(): Promise<void> {
    const { signal } = this.stopping;
    const stopping = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    for (let backoffMs = BACKOFF_MS_MIN; ;) {
      const since = performance.now();
      const { pid } = this.postmaster;
      const how = await Promise.race([this.postmaster.ended, stopping]);
      if (signal.aborted) return;
      if (performance.now() - since > HEALTHY_MS) backoffMs = BACKOFF_MS_MIN;
      this.log.error({ pid, how, said: await this.lastWords() }, 'PostgreSQL has died; starting it again');
      do {
        await pause(backoffMs, undefined, { signal, ref: false }).catch(() => undefined);
        if (signal.aborted) return;
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX);
      } while (!(await this.revive(backoffMs)));
    }
  }

  private async revive(retryMs: number): Promise<boolean> {
    try {
      const { layout, connection, log } = this;
      const { postmaster } = await bringUp(layout, connection, log, this.stopping.signal);
      this.postmaster = postmaster;
      log.info({ pid: this.postmaster.pid }, 'PostgreSQL runs again');
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return true;
      this.log.error({ err: withAdvice(error), retryMs }, 'PostgreSQL could not be started again');
      return false;
    }
  }

  private lastWords(): Promise<string> {
    return this.layout.serverLog.lastWords().catch((error: Error) => error.message);
  }
}

/** The lock comes last: after it the socket directory may belong to another app. */
async function leave({ socketDir, temporaryDir, lockDir }: Layout, lock: DirectoryLock): Promise<void> {
  await removeSocketDirectory(socketDir);
  if (temporaryDir !== undefined && temporaryDir !== lockDir) await removeSocketDirectory(temporaryDir);
  await lock.release();
}

/** Starts the PostgreSQL of a data directory, or finds it running. Obstacles are reported as errors of embedded-errors.ts. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  try {
    return await EmbeddedServer.start(options);
  } catch (error) {
    throw withAdvice(error);
  }
}
