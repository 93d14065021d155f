import { setTimeout as pause } from 'node:timers/promises';
import type { ClientConfig } from 'pg';
import { embeddedError } from './embedded-errors.js';
import type { Layout } from './layout.js';
import { markPidFileStale, holderOf, readPidFile } from './pid-file.js';
import { adopted, probe, launch, shutDown, withClient, type Postmaster, type PostmasterLog } from './postmaster.js';
import { PORT } from './socket-directory.js';

export interface RunningServer {
  readonly postmaster: Postmaster;
  readonly host: string;
  readonly port: number;
}

const LOOK_MS = 100;
const LOG_AFTER_MS = 10_000;
const IN_THE_WAY_MS_MAX = 15_000;
const GONE = 'gone';
/** A server listens from the start; if none does for this long, its socket file has been removed. */
const CLOSED_MS_MAX = 5_000;

/**
 * Adopts the server that runs on the cluster, or launches one. It waits for what a killed server has left behind (child processes, shared
 * memory). `account` may name the only address to use.
 */
export async function bringUp(
  layout: Layout,
  account: ClientConfig,
  log: PostmasterLog,
  signal?: AbortSignal,
): Promise<RunningServer> {
  const { host = layout.socketDir, port = PORT } = account;
  for (const giveUpAt = performance.now() + IN_THE_WAY_MS_MAX; ;) {
    const running = await findRunning(layout, account, log, signal);
    if (running) return running;
    signal?.throwIfAborted();
    const postmaster = await launch(layout, { ...account, host, port }, log, signal);
    if (postmaster) return { postmaster, host, port };
    if (performance.now() > giveUpAt) {
      throw embeddedError(
        'embedded-start-failed',
        `Another PostgreSQL, or what is left of one, uses ${layout.clusterDir}. Look for processes named postgres and end them; the log ${layout.serverLog.file} says: ${await layout.serverLog.lastWords()}`,
      );
    }
    await pause(LOOK_MS);
  }
}

/**
 * A server that outlived its killed app continues to serve; while it recovers or stops, it is waited for, however long that takes. One that
 * cannot be reached, or has another version (an upgrade replaced its programs), is shut down properly. Undefined: none runs.
 */
async function findRunning(
  layout: Layout,
  account: ClientConfig,
  log: PostmasterLog,
  signal?: AbortSignal,
): Promise<RunningServer | undefined> {
  const { clusterDir } = layout;
  const file = await readPidFile(clusterDir);
  if (!file) return undefined;
  const { pid } = file;
  const holder = await holderOf(clusterDir, pid);
  if (holder === 'other') {
    log.warn({ pid }, 'the pid file of PostgreSQL is stale, and its pid belongs to another program by now');
    await markPidFileStale(layout, file);
  }
  if (holder !== 'postmaster') return undefined;
  const connection = { host: file.socketDir, port: file.port, ...account };
  const unfit = await becomesFit(layout, pid, connection, log, signal);
  if (unfit === undefined) {
    log.info({ pid }, 'PostgreSQL is still running; it is taken over');
    return { postmaster: adopted(clusterDir, pid), host: connection.host, port: connection.port };
  }
  if (unfit !== GONE) {
    log.warn({ pid, why: unfit }, 'PostgreSQL is still running, but cannot be taken over; it is ended');
    await shutDown(clusterDir, pid, connection);
  }
  return undefined;
}

/** Undefined when it responds; otherwise why it cannot be taken over. */
async function becomesFit(
  { clusterDir, binaries }: Layout,
  pid: number,
  connection: ClientConfig,
  log: PostmasterLog,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const since = performance.now();
  let closedSince = since;
  for (let logAt = since + LOG_AFTER_MS; (await holderOf(clusterDir, pid)) === 'postmaster';) {
    const answer = await probe(connection);
    const version = answer === 'open' ? await versionOf(connection) : undefined;
    if (version !== undefined) {
      return version === binaries.version
        ? undefined
        : `it is version ${version}, and this release has ${binaries.version}`;
    }
    signal?.throwIfAborted();
    const now = performance.now();
    if (answer !== 'closed') closedSince = now;
    if (now - closedSince > CLOSED_MS_MAX) return `nobody listens in ${connection.host}`;
    if (now > logAt) {
      log.info({ pid }, 'PostgreSQL is still running, but not ready; after a crash it recovers first');
      logAt = now + LOG_AFTER_MS;
    }
    await pause(LOOK_MS);
  }
  return GONE;
}

/** Undefined: it ended between two connections. */
async function versionOf(connection: ClientConfig): Promise<string | undefined> {
  const question = withClient(connection, (client) => client.query<{ server_version: string }>('SHOW server_version'));
  return question.then(
    ({ rows }) => rows[0]?.server_version,
    () => undefined,
  );
}
