import { execFile } from 'node:child_process';
import { constants, readFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openPlainFile } from './held-directory.js';
import type { Layout } from './layout.js';
import { PORT } from './socket-directory.js';

/** What a postmaster writes into its data directory. */
export interface PidFile {
  readonly pid: number;
  readonly socketDir: string;
  readonly port: number;
}

/** Which process has the pid in the file: a postmaster of this cluster, an unrelated process, or none. */
export type Holder = 'postmaster' | 'other' | 'nobody';

/** Never a process: above what any kernel assigns. */
const DEAD_PID = 2_147_483_647;

export async function readPidFile(clusterDir: string): Promise<PidFile | undefined> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const [pid = '', , , port = '', socketDir = ''] = text.split('\n').map((line) => line.trim());
  if (!/^\d+$/.test(pid)) return undefined;
  return { pid: Number(pid), port: Number(port), socketDir };
}

/** For the end of our own process, when nothing can be waited for. Undefined: no server runs, or its file cannot be read. */
export function pidInFile(clusterDir: string): number | undefined {
  try {
    return parseInt(readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8'), 10);
  } catch {
    return undefined;
  }
}

/**
 * A pid alone proves nothing: after a reboot, and in a container at every start, it is reused. A postmaster works in its data directory,
 * which is compared as a file (device and inode), because a path may differ in another mount namespace. A process that has ended and was
 * not collected by its parent has no directory any more, and does not count.
 */
export async function holderOf(clusterDir: string, pid: number): Promise<Holder> {
  if (!exists(pid)) return 'nobody';
  if (process.platform !== 'linux') return (await programOf(pid)) === 'postgres' ? 'postmaster' : 'other';
  const cluster = await stat(clusterDir);
  try {
    const place = await stat(`/proc/${pid}/cwd`);
    return place.dev === cluster.dev && place.ino === cluster.ino ? 'postmaster' : 'other';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'other' : 'nobody';
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function programOf(pid: number): Promise<string> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'comm=', '-p', String(pid)], (_error, stdout) => resolve(basename(stdout.trim())));
  });
}

/**
 * Makes PostgreSQL see that its pid file is stale, if another process has the pid and it would refuse to start. Only the pid is replaced:
 * the rest names the shared memory, by which the next postmaster sees whether children of the dead one still run. Removing the file would
 * lose that.
 */
export async function markPidFileStale({ clusterDir, socketDir }: Layout, { pid }: PidFile): Promise<void> {
  const handle = await openPlainFile(join(clusterDir, 'postmaster.pid'), constants.O_RDWR);
  try {
    const text = await handle.readFile('utf8');
    await handle.truncate(0);
    await handle.write(text.replace(String(pid), String(DEAD_PID)), 0);
  } finally {
    await handle.close();
  }
  // The lock file of the socket may name the same pid.
  for (const suffix of ['.lock', '']) await rm(join(socketDir, `.s.PGSQL.${PORT}${suffix}`), { force: true });
}
