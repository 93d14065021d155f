import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, lchown, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { programEnvironment } from './binaries.js';
import { syncDirectory, writeDurably, written } from './durable-file.js';
import { embeddedError } from './embedded-errors.js';
import { recordCluster, type Layout } from './layout.js';
import { identity } from './run-as.js';
import { makeSocketDirectory } from './socket-directory.js';

export const SUPERUSER = 'event_store';
export const DATABASE = 'postgres';

/**
 * Creates the cluster if there is none, and answers the password of its superuser. The caller holds the lock. A cluster is made beside
 * its place and moved there when it is complete and on disk, so that half a cluster is never found; what is found is judged, never
 * overwritten.
 */
export async function ensureCluster(layout: Layout): Promise<string> {
  await removeLeftovers(layout.clusterDir);
  if (!(await isEmpty(layout.clusterDir))) {
    await judgeCluster(layout);
    await takeOwnership(layout);
    await recordCluster(layout);
    return readPassword(layout);
  }
  const password = randomBytes(24).toString('base64url');
  await writeDurably(layout.passwordFile, password);
  await createCluster(layout, password);
  await recordCluster(layout);
  return password;
}

async function createCluster(layout: Layout, password: string): Promise<void> {
  const { clusterDir, user } = layout;
  const partial = `${clusterDir}.partial-${process.pid}`;
  await mkdir(partial, { mode: 0o700 });
  try {
    if (user.switched) await chown(partial, user.uid, user.gid);
    await initdb(layout, partial, password);
    await rename(partial, clusterDir);
    await syncDirectory(dirname(clusterDir));
  } catch (error) {
    await removeTree(partial);
    throw error;
  }
}

async function removeLeftovers(clusterDir: string): Promise<void> {
  const home = dirname(clusterDir);
  for (const name of await readdir(home)) {
    if (name.startsWith(`${basename(clusterDir)}.partial-`)) await removeTree(join(home, name));
  }
}

/** With retries: the initdb of a killed app may still be writing into it. */
const removeTree = (path: string): Promise<void> =>
  rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

async function isEmpty(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.length === 0;
}

async function judgeCluster({ clusterDir, binaries }: Layout): Promise<void> {
  const wanted = binaries.version.split('.', 1)[0]!;
  const found = await readFile(join(clusterDir, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) {
    throw embeddedError(
      'embedded-not-ours',
      `${clusterDir} holds files, but is no PostgreSQL cluster: it has no PG_VERSION. Move it away, or set DATA_DIR to another directory; nothing was changed.`,
    );
  }
  if (found.trim() !== wanted) {
    throw embeddedError(
      'embedded-other-version',
      `${clusterDir} was made by PostgreSQL ${found.trim()}, and this release runs ${wanted}. Start the release that made it, or dump it there with pg_dump and restore the dump into a new DATA_DIR; nothing was changed.`,
    );
  }
}

/** A backup that root has restored belongs to root; PostgreSQL refuses what is not its own. The top comes last, so that a second start goes on. */
async function takeOwnership({ clusterDir, user }: Layout): Promise<void> {
  if (!user.switched || (await stat(clusterDir)).uid === user.uid) return;
  for (const entry of await readdir(clusterDir, { recursive: true })) {
    await lchown(join(clusterDir, entry), user.uid, user.gid);
  }
  await chmod(clusterDir, 0o700);
  await chown(clusterDir, user.uid, user.gid);
}

async function readPassword({ passwordFile, clusterDir }: Layout): Promise<string> {
  const password = await readFile(passwordFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (password.trim() !== '') return password.trim();
  throw embeddedError(
    'embedded-start-failed',
    `${passwordFile} is missing, without which nobody gets into the store in ${clusterDir}. Restore it from the backup of DATA_DIR, or remove ${clusterDir} to begin with an empty store; nothing was changed.`,
  );
}

/**
 * The password goes by a file in the socket directory, which only the user of PostgreSQL can enter, and that is gone afterwards. It is
 * created anew and given away by its handle: in a directory of that user, a path could be made to point elsewhere meanwhile.
 */
async function initdb(layout: Layout, directory: string, password: string): Promise<void> {
  const { binaries, socketDir, user } = layout;
  await makeSocketDirectory(socketDir, user);
  const passwordFile = join(socketDir, 'initdb.password');
  await rm(passwordFile, { force: true });
  const handle = await open(passwordFile, 'wx', 0o600);
  try {
    if (user.switched) await handle.chown(user.uid, user.gid);
    await written(handle, password);
    const args = ['-D', directory, '-U', SUPERUSER, '--encoding=UTF8', '--locale=C', '--data-checksums'];
    args.push('--no-instructions', '--auth=scram-sha-256', `--pwfile=${passwordFile}`);
    await run(join(binaries.directory, 'bin/initdb'), args, layout);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function run(program: string, args: readonly string[], { binaries, user }: Layout): Promise<void> {
  const options = { ...identity(user), env: programEnvironment(binaries), cwd: '/' };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve();
      const said = `${stdout}${stderr}`.trim().slice(-1_500) || error.message;
      reject(embeddedError('embedded-start-failed', `${basename(program)} failed: ${said}`, {}, { cause: error }));
    });
  });
}
