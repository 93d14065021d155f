import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lchown, lstat, mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { programEnvironment } from './binaries.js';
import { syncDirectory, writeDurably } from './durable-file.js';
import { embeddedError } from './embedded-errors.js';
import { recordCluster, type Layout } from './layout.js';
import { withDirectory } from './held-directory.js';
import { removeTree } from './remove-tree.js';
import { identity, type PostgresUser } from './run-as.js';

export const SUPERUSER = 'event_store';
export const DATABASE = 'postgres';

/**
 * Creates the cluster if there is none, and returns the password of its superuser. The caller holds the lock. A cluster is made beside its
 * place and moved there when it is complete and on disk, so that half a cluster is never found; an existing one is checked, never
 * overwritten.
 */
export async function ensureCluster(layout: Layout): Promise<string> {
  await removeLeftovers(layout.clusterDir);
  if (!(await isEmpty(layout.clusterDir))) {
    await checkCluster(layout);
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
    if (user.switched) await withDirectory(partial, (held) => held.chown(user.uid, user.gid));
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

async function isEmpty(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.length === 0;
}

async function checkCluster({ clusterDir, binaries }: Layout): Promise<void> {
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

/**
 * A backup restored by root belongs to root; PostgreSQL refuses files that are not its own. The contents of a directory are given away
 * before the directory, so that the path to them leads only through directories that are still ours; and a second start continues where the
 * first one ended.
 */
async function takeOwnership({ clusterDir, user }: Layout): Promise<void> {
  if (!user.switched) return;
  await withDirectory(clusterDir, async (held) => {
    if ((await held.stat()).uid === user.uid) return;
    await held.chmod(0o700);
    await giveContents(clusterDir, user);
    await held.chown(user.uid, user.gid);
  });
}

async function giveContents(directory: string, user: PostgresUser): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) await lchown(path, user.uid, user.gid);
    else if ((await lstat(path)).uid !== user.uid) {
      await giveContents(path, user);
      await lchown(path, user.uid, user.gid);
    }
  }
}

async function readPassword({ passwordFile, clusterDir }: Layout): Promise<string> {
  const password = await readFile(passwordFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (password.trim() !== '') return password.trim();
  throw embeddedError(
    'embedded-start-failed',
    `${passwordFile} is missing, and without it the store in ${clusterDir} cannot be opened. Restore it from the backup of DATA_DIR, or remove ${clusterDir} to begin with an empty store; nothing was changed.`,
  );
}

/**
 * The password is passed in a file that has no name any more when initdb opens it, by an inherited handle: a named file would have to be in
 * reach of the user of PostgreSQL, who could make the name point elsewhere.
 */
async function initdb(layout: Layout, directory: string, password: string): Promise<void> {
  const { binaries, dataDir, user } = layout;
  const passwordFile = join(dataDir, `initdb.password.${process.pid}`);
  await rm(passwordFile, { force: true });
  const handle = await open(passwordFile, 'wx+', 0o600);
  try {
    await rm(passwordFile);
    if (user.switched) await handle.chown(user.uid, user.gid);
    // With a position, which leaves the offset at 0: where /dev/fd duplicates instead of opening, initdb reads from the offset.
    await handle.write(password, 0);
    const args = ['-D', directory, '-U', SUPERUSER, '--encoding=UTF8', '--locale=C', '--data-checksums'];
    args.push('--no-instructions', '--auth=scram-sha-256', `--pwfile=/dev/fd/${INHERITED}`);
    await run(join(binaries.directory, 'bin/initdb'), args, layout, handle);
  } finally {
    await handle.close();
  }
}

/** The descriptor after standard input, output and error. */
const INHERITED = 3;

async function run(
  program: string,
  args: readonly string[],
  { binaries, user }: Layout,
  inherited: FileHandle,
): Promise<void> {
  const options = { ...identity(user), env: programEnvironment(binaries), cwd: '/' };
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe', inherited.fd] });
  const output = Promise.all([child.stdout!, child.stderr!].map((stream) => text(stream)));
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const how = await ended;
  if (how === 0) return;
  const said = typeof how === 'number' ? (await output).join('').trim().slice(-1_500) : how.message;
  throw embeddedError('embedded-start-failed', `${basename(program)} failed: ${said || `it ended with ${how}`}`);
}
