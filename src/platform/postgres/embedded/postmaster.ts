import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';
import { programEnvironment } from './binaries.js';
import { embeddedError } from './embedded-errors.js';
import type { Layout } from './layout.js';
import { holderOf, pidInFile } from './pid-file.js';
import { identity } from './run-as.js';
import { serverArguments } from './server-settings.js';
import { makeSocketPlace } from './socket-directory.js';

/** A server process. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves when it has ended, with what is known of how; never rejects. */
  readonly ended: Promise<string>;
}

export interface PostmasterLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const LOOK_MS = 50;
const WATCH_MS = 1_000;
const STILL_RECOVERING_MS = 10_000;
const STOP_MS_MAX = 60_000;
/** What a server logs when another one runs, or has just died and its children are still ending. */
const IN_THE_WAY = /pre-existing shared memory block|lock file ".*" already exists/;

/**
 * Starts the server and waits until it responds, which after a crash takes as long as the recovery. It has a process group of its own, so
 * that neither a Ctrl-C in our terminal nor a SIGKILL for us stops it; the next start adopts it. Undefined: another server, or the remains
 * of one, is in the way at this moment.
 */
export async function launch(
  layout: Layout,
  connection: ClientConfig,
  log: PostmasterLog,
  signal?: AbortSignal,
): Promise<Postmaster | undefined> {
  const { serverLog, clusterDir } = layout;
  await serverLog.trim();
  const from = await serverLog.size();
  const postmaster = await spawnServer(layout);
  const withdraw = (): void => kill(postmaster.pid, 'SIGINT');
  signal?.addEventListener('abort', withdraw, { once: true });
  process.once('exit', withdraw);
  try {
    if (await becomesReady(postmaster, connection, log)) return postmaster;
  } catch (error) {
    withdraw();
    await postmaster.ended;
    throw error;
  } finally {
    signal?.removeEventListener('abort', withdraw);
    process.off('exit', withdraw);
  }
  const words = await serverLog.lastWords(from);
  if (IN_THE_WAY.test(words)) return undefined;
  const how = await postmaster.ended;
  throw embeddedError(
    'embedded-start-failed',
    `PostgreSQL ended (${how}) instead of starting on ${clusterDir}. Its log, ${serverLog.file}, says: ${words || 'nothing'}`,
  );
}

async function spawnServer(layout: Layout): Promise<Postmaster> {
  const { binaries, user, serverLog } = layout;
  await makeSocketPlace(layout, user);
  const output = await serverLog.open();
  try {
    const child = spawn(join(binaries.directory, 'bin/postgres'), serverArguments(layout), {
      ...identity(user),
      env: programEnvironment(binaries),
      cwd: '/',
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `exit code ${code}`));
    });
    await once(child, 'spawn');
    child.unref();
    return { pid: child.pid!, ended };
  } finally {
    await output.close();
  }
}

/** False: the process has ended. */
async function becomesReady(
  { pid, ended }: Postmaster,
  connection: ClientConfig,
  log: PostmasterLog,
): Promise<boolean> {
  const gone = ended.then(() => true);
  for (let logAt = performance.now() + STILL_RECOVERING_MS; ;) {
    if ((await probe(connection)) === 'open') return true;
    if (await Promise.race([gone, pause(LOOK_MS, false)])) return false;
    if (performance.now() < logAt) continue;
    log.info({ pid }, 'PostgreSQL is not ready yet; after a crash it recovers first');
    logAt = performance.now() + STILL_RECOVERING_MS;
  }
}

/** A server that is not our child, because an earlier app started it: we are not notified when it ends. */
export function adopted(clusterDir: string, pid: number): Postmaster {
  const watch = async (): Promise<string> => {
    while ((await holderOf(clusterDir, pid)) === 'postmaster') await pause(WATCH_MS, undefined, { ref: false });
    return 'unknown, since it was started by another process';
  };
  return { pid, ended: watch().catch((error: Error) => error.message) };
}

/**
 * How a server responds to a connection attempt: `open`, `busy` (starting, stopping or full), `closed` (not listening). A wrong password is
 * an error, because waiting does not help.
 */
export async function probe(connection: ClientConfig): Promise<'open' | 'busy' | 'closed'> {
  try {
    await withClient(connection, (client) => client.query('SELECT 1'));
    return 'open';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === '28P01' || code === '28000') {
      throw embeddedError(
        'embedded-start-failed',
        `PostgreSQL in ${connection.host} does not take the password in DATA_DIR/postgres.password. Restore that file and the cluster from the same backup.`,
        {},
        { cause: error },
      );
    }
    return code === 'ENOENT' || code === 'ECONNREFUSED' ? 'closed' : 'busy';
  }
}

export async function withClient<T>(connection: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionTimeoutMillis: 2_000, ...connection });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Checkpoint first, while nothing waits for it, so that the shutdown has little left to write; then a fast shutdown, which disconnects all
 * clients. False: it did not end in time; it continues to shut down by itself.
 */
export async function shutDown(clusterDir: string, pid: number, connection: ClientConfig): Promise<boolean> {
  const runs = async (): Promise<boolean> => (await holderOf(clusterDir, pid)) === 'postmaster';
  if (!(await runs())) return true;
  await withClient({ ...connection, query_timeout: 30_000 }, (client) => client.query('CHECKPOINT')).catch(
    () => undefined,
  );
  kill(pid, 'SIGINT');
  for (const deadline = performance.now() + STOP_MS_MAX; await runs();) {
    if (performance.now() > deadline) return false;
    await pause(LOOK_MS);
  }
  return true;
}

/** A fast shutdown that is not waited for, because our own process ends now. The next start waits, if it comes soon enough. */
export function signalShutdown(clusterDir: string, pid: number): void {
  if (pidInFile(clusterDir) === pid) kill(pid, 'SIGINT');
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
