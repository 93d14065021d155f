import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { writeAside } from './durable-file.js';
import { embeddedError } from './embedded-errors.js';
import { isOursAlone, withDirectory } from './held-directory.js';
import { canEnter, type PostgresUser } from './run-as.js';

export const PORT = 5432;
/** `sun_path` has 108 bytes on Linux and 104 on macOS, the final zero included. */
export const SOCKET_PATH_BYTES_MAX = 103;

const NAME = 'postgres.socket';
const RECORD = 'postgres.socket.location';
const TEMPORARY = /^event-store-[0-9a-f]{16}$/;

/** A name derived from a directory, wherever that lies: a path is too long. */
export const nameOf = (directory: string): string => createHash('sha256').update(directory).digest('hex').slice(0, 16);

/**
 * The only access to the server: a socket in a directory of its user, mode 0700, so that no one else even gets to the password. That
 * directory lies in one of ours, in which no one else can create anything: beside the cluster; or, if the path of a socket would be too
 * long there or its owner is another user, in one under the temporary directory with an unpredictable name.
 */
export interface SocketPlace {
  readonly socketDir: string;
  /** Ours, under the temporary directory. */
  readonly temporaryDir: string | undefined;
}

export async function chooseSocketPlace(home: string, user: PostgresUser): Promise<SocketPlace> {
  if (holdsSocket(home) && (await isSafe(home, user))) return { socketDir: join(home, NAME), temporaryDir: undefined };
  const real = [tmpdir(), '/tmp'].map((path) => realpath(path).catch(() => path));
  const parents = [...new Set(await Promise.all(real))];
  const temporaryDir = (await recorded(home, parents)) ?? (await agreedTemporary(home, parents, user));
  return { socketDir: join(temporaryDir, NAME), temporaryDir };
}

const holdsSocket = (directory: string): boolean =>
  Buffer.byteLength(join(directory, NAME, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_BYTES_MAX;

/** Only root gives directories away. */
const isSafe = async (directory: string, user: PostgresUser): Promise<boolean> =>
  !user.switched || (await isOursAlone(directory));

/** The directory of the last start, where apps on one cluster meet. If others may write the record, they must not choose what it says. */
async function recorded(home: string, parents: readonly string[]): Promise<string | undefined> {
  const directory = (await readFile(join(home, RECORD), 'utf8').catch(() => '')).trim();
  if (!TEMPORARY.test(basename(directory)) || !parents.includes(dirname(directory))) return undefined;
  return (await isOurs(directory)) ? directory : undefined;
}

const isOurs = (directory: string): Promise<boolean> =>
  withDirectory(directory, (held) => held.stat()).then(
    ({ uid, mode }) => uid === process.getuid?.() && !(mode & 0o022),
    () => false,
  );

/** Of two apps that start at once, the first to record its directory wins. */
async function agreedTemporary(home: string, parents: readonly string[], user: PostgresUser): Promise<string> {
  const file = join(home, RECORD);
  const directory = await makeTemporary(parents, user);
  const aside = await writeAside(file, directory);
  const taken = await link(aside, file).then(
    () => undefined,
    () => recorded(home, parents),
  );
  if (taken) await rmdir(directory);
  // The recorded directory is gone, or is not ours.
  else await rename(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
  return taken ?? directory;
}

async function makeTemporary(parents: readonly string[], user: PostgresUser): Promise<string> {
  for (const parent of parents) {
    const directory = join(parent, `event-store-${randomBytes(8).toString('hex')}`);
    if (!holdsSocket(directory) || !(await isSafe(parent, user)) || !(await canEnter(user, parent))) continue;
    await mkdir(directory, { mode: 0o700 });
    await withDirectory(directory, (held) => held.chmod(0o711));
    return directory;
  }
  throw embeddedError(
    'embedded-start-failed',
    `The temporary directory ${tmpdir()} cannot hold the socket of PostgreSQL: its path is too long, the user ${user.name} cannot enter it, or others can rename what is in it. Set TMPDIR to another one.`,
  );
}

/** A cleaner of the temporary directory may have removed it. */
export async function makeSocketPlace({ socketDir, temporaryDir }: SocketPlace, user: PostgresUser): Promise<void> {
  if (temporaryDir !== undefined) {
    await madeNow(temporaryDir);
    if (!(await isOurs(temporaryDir))) throw notOurs(temporaryDir, 'it was made by another user');
    await withDirectory(temporaryDir, (held) => held.chmod(0o711));
  }
  await makeSocketDirectory(socketDir, user);
}

/**
 * A directory, or link, of this name that belongs to another user would be a trap: then nothing is put into it. Only a directory made just
 * now is given away; one that a killed start has left as root's is made again.
 */
export async function makeSocketDirectory(directory: string, user: PostgresUser): Promise<void> {
  if (user.switched) await rmdirOfRoot(directory);
  const made = await madeNow(directory);
  await withDirectory(directory, async (held) => {
    const { uid } = await held.stat();
    if (uid !== (made ? process.getuid?.() : user.uid)) throw notOurs(directory, `uid ${uid}`);
    await held.chmod(0o700);
    if (made && user.switched) await held.chown(user.uid, user.gid);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ELOOP' || error.code === 'ENOTDIR') throw notOurs(directory, 'a link or a file');
    throw error;
  });
}

const madeNow = (directory: string): Promise<boolean> =>
  mkdir(directory, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

async function rmdirOfRoot(directory: string): Promise<void> {
  if (await isOurs(directory)) await removeSocketDirectory(directory);
}

const notOurs = (directory: string, what: string): Error =>
  embeddedError(
    'embedded-not-ours',
    `${directory}, where the socket of PostgreSQL belongs, is not a directory of this user (${what}). Remove it, or set TMPDIR to a directory of your own.`,
  );

/** Not while it contains anything. */
export async function removeSocketDirectory(directory: string): Promise<void> {
  await rmdir(directory).catch(() => undefined);
}
