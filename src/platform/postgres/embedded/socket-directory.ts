import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, realpath, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedError } from './embedded-errors.js';
import { canEnter, type PostgresUser } from './run-as.js';

export const PORT = 5432;
/** `sun_path` has 108 bytes on Linux and 104 on macOS, the final zero included. */
export const SOCKET_PATH_BYTES_MAX = 103;

/** The same directory has the same name at every start; a hash, because a path is too long. */
export const nameOf = (directory: string): string => createHash('sha256').update(directory).digest('hex').slice(0, 16);

/**
 * The only way to the server: a socket in a directory of its user, mode 0700, so that nobody else gets as far as the password. It lies
 * under the temporary directory, because the path of a socket must be short and DATA_DIR may be long.
 */
export async function chooseSocketDirectory(home: string, user: PostgresUser): Promise<string> {
  const name = `event-store-${nameOf(home)}`;
  for (const parent of new Set([tmpdir(), '/tmp'])) {
    const directory = join(await realpath(parent).catch(() => parent), name);
    const fits = Buffer.byteLength(join(directory, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_BYTES_MAX;
    if (fits && (await canEnter(user, parent))) return directory;
  }
  throw embeddedError(
    'embedded-start-failed',
    `The temporary directory ${tmpdir()} cannot hold the socket of PostgreSQL: its path is too long, or the user ${user.name} cannot enter it. Set TMPDIR to another one.`,
  );
}

/** Somebody else's directory, or link, of this name would be a trap: then nothing is put into it. */
export async function makeSocketDirectory(directory: string, user: PostgresUser): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(directory);
  if (!found.isDirectory() || (found.uid !== process.getuid?.() && found.uid !== user.uid)) {
    throw embeddedError(
      'embedded-not-ours',
      `${directory}, where the socket of PostgreSQL belongs, is not a directory of this user (uid ${found.uid}). Remove it, or set TMPDIR to a directory of your own.`,
    );
  }
  await chmod(directory, 0o700);
  if (user.switched) await chown(directory, user.uid, user.gid);
}

/** Not while anything is in it. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  await rmdir(directory).catch(() => undefined);
}
