import { spawn } from 'node:child_process';
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { spawnOptions } from './cluster.js';
import { embeddedError } from './embedded-errors.js';
import type { Layout } from './layout.js';
import { serverArguments } from './server-settings.js';

const LOG_BYTES_MAX = 10 * 1024 * 1024;
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 60_000;
const LOOK_MS = 50;
/** What a postmaster says when another one has just died and its children are still going. */
const STILL_GOING =
  /pre-existing shared memory block|lock file ".*" already exists|could not bind|address already in use/i;

/** Whether a process exists; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The server process of the cluster, if one runs: by its pid file, and only if that file names our socket directory. */
export async function findPostmaster({ clusterDir, socketDir }: Layout): Promise<number | undefined> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => '');
  const [pid, , , , socket] = text.split('\n');
  const number = Number(pid);
  return number > 0 && socket?.trim() === socketDir && isAlive(number) ? number : undefined;
}

/** Starts the server in a process group of its own, so that it outlives us if we are killed; the next start adopts it. */
export async function launch(layout: Layout, connection: pg.ClientConfig): Promise<number> {
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    const { pid, logFile, from } = await spawnServer(layout);
    const ready = await becomesReady(pid, connection, deadline);
    if (ready) return pid;
    const said = (await readFile(logFile, 'utf8')).slice(from).trim();
    if (!STILL_GOING.test(said) || performance.now() > deadline) {
      throw embeddedError(
        'embedded-start-failed',
        `PostgreSQL did not start. Its log, ${logFile}, says: ${said.slice(-1_500)}`,
      );
    }
    await pause(500);
  }
}

async function spawnServer(layout: Layout): Promise<{ pid: number; logFile: string; from: number }> {
  const logFile = join(layout.dataDir, 'postgres.log');
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await truncate(logFile, 0);
  const from = size > LOG_BYTES_MAX ? 0 : size;
  const log = await open(logFile, 'a', 0o600);
  try {
    const program = join(layout.binaries.directory, 'bin/postgres');
    const child = spawn(program, serverArguments(layout.clusterDir, layout.socketDir), {
      ...spawnOptions(layout),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    return { pid: child.pid!, logFile, from };
  } finally {
    await log.close();
  }
}

/** False: the process is gone. */
async function becomesReady(pid: number, connection: pg.ClientConfig, deadline: number): Promise<boolean> {
  while (isAlive(pid) && performance.now() < deadline) {
    if (await answers(connection)) return true;
    await pause(LOOK_MS);
  }
  return false;
}

export async function answers(connection: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Checkpoint first, so that the shutdown has little to write; then a fast shutdown. False: it did not end in time. */
export async function shutDown(pid: number, connection: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client
    .connect()
    .then(() => client.query('CHECKPOINT'))
    .catch(() => undefined);
  await client.end().catch(() => undefined);
  if (isAlive(pid)) process.kill(pid, 'SIGINT');
  const deadline = performance.now() + STOP_MS_MAX;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await pause(LOOK_MS);
  }
  return true;
}
