import { mkdir, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findBinaries, makePublicDirectory, usableBinaries, type UsableBinaries } from './binaries.js';
import { writeDurably } from './durable-file.js';
import { embeddedError } from './embedded-errors.js';
import { withDirectory } from './held-directory.js';
import { canEnter, choosePostgresUser, closedDirectory, type PostgresUser } from './run-as.js';
import { ServerLog } from './server-log.js';
import { chooseSocketPlace, nameOf, SOCKET_PATH_BYTES_MAX, type SocketPlace } from './socket-directory.js';

const FREE_BYTES_MIN = 128 * 1024 * 1024;

/**
 * Where everything lies:
 *
 *   DATA_DIR/postgres             the cluster (PGDATA)
 *   DATA_DIR/postgres.partial-*   a cluster that initdb is making; the next start removes what a killed one has left
 *   DATA_DIR/postgres.password    of the superuser, readable by us only
 *   DATA_DIR/postgres.log         the server's log
 *   DATA_DIR/postgres.lock.*      the lock of a running app
 *   DATA_DIR/postgres.location    only if the cluster lies elsewhere: where
 *   DATA_DIR/postgres.socket      where the server listens; beside the cluster
 *   DATA_DIR/postgres.socket.location  only if that lies elsewhere: where
 *
 * If we are root, others may write to some of these directories, or to those above: a path may mean something else from one call to the
 * next. So whatever is checked and then changed, or given away, is held by a handle (held-directory.ts).
 */
export interface Layout extends SocketPlace {
  /** The real path of DATA_DIR. */
  readonly dataDir: string;
  /** PGDATA. */
  readonly clusterDir: string;
  /** Where apps on this cluster find each other: beside it, so that two copies of a DATA_DIR that share a cluster do, too. */
  readonly lockDir: string;
  readonly passwordFile: string;
  readonly serverLog: ServerLog;
  readonly binaries: UsableBinaries;
  readonly user: PostgresUser;
}

export interface LayoutOptions {
  readonly dataDir: string;
  /** Where root puts what the user of PostgreSQL cannot reach otherwise. */
  readonly systemDir: string;
  readonly log: { warn(fields: object, message: string): void };
}

/** Decides where everything lies, and creates the directories; the cluster itself is not touched. */
export async function prepareLayout({ dataDir, systemDir, log }: LayoutOptions): Promise<Layout> {
  await mkdir(dataDir, { recursive: true });
  const real = await realpath(dataDir);
  const recorded = await recordedCluster(real);
  const owner = await stat(recorded ?? join(real, 'postgres')).catch(() => undefined);
  const user = choosePostgresUser(owner && { uid: owner.uid, gid: owner.gid });
  const found = await findBinaries();
  const binaries = await usableBinaries(found, user, systemDir);
  const clusterDir = recorded ?? (await reachableCluster(real, owner !== undefined, user, systemDir));
  const elsewhere = { cluster: clusterDir, binaries: binaries.directory };
  if (dirname(clusterDir) !== real) {
    log.warn(
      elsewhere,
      `the store lies outside DATA_DIR, which the user ${user.name} cannot enter; keep both together`,
    );
  } else if (binaries.directory !== found.directory) {
    log.warn(elsewhere, `the programs of PostgreSQL were copied, because the user ${user.name} cannot reach them`);
  }
  const home = dirname(clusterDir);
  await requireSpace(home);
  const place = await chooseSocketPlace(home, user);
  const fits = Buffer.byteLength(join(home, 'postgres.lock.4194304-abcdef')) <= SOCKET_PATH_BYTES_MAX;
  return {
    dataDir: real,
    clusterDir,
    ...place,
    lockDir: fits ? home : place.temporaryDir!,
    passwordFile: join(real, 'postgres.password'),
    serverLog: new ServerLog(join(real, 'postgres.log')),
    binaries,
    user,
  };
}

const locationFile = (dataDir: string): string => join(dataDir, 'postgres.location');

async function recordedCluster(dataDir: string): Promise<string | undefined> {
  const text = await readFile(locationFile(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const recorded = text.trim();
  if (recorded === '') return undefined;
  if (await stat(recorded).catch(() => undefined)) return recorded;
  throw embeddedError(
    'embedded-start-failed',
    `${locationFile(dataDir)} says that the store lies in ${recorded}, which does not exist. Restore that directory; or, to begin with an empty store, remove the file.`,
  );
}

/** Recorded once the cluster is complete, so that the record never points to nothing. */
export async function recordCluster({ dataDir, clusterDir }: Layout): Promise<void> {
  if (dirname(clusterDir) !== dataDir) await writeDurably(locationFile(dataDir), `${clusterDir}\n`);
}

/** In the data directory, if the user of PostgreSQL can reach it. An existing cluster is never moved. */
async function reachableCluster(
  dataDir: string,
  exists: boolean,
  user: PostgresUser,
  systemDir: string,
): Promise<string> {
  await letPass(dataDir, user);
  if (await canEnter(user, dataDir)) return join(dataDir, 'postgres');
  const closed = await closedDirectory(user, dataDir);
  const advice = `Set DATA_DIR to a directory that ${user.name} can enter (/var/lib/event-store/data), let that user pass (chmod o+x ${closed}), or start as an ordinary user.`;
  const problem = `PostgreSQL runs as the user ${user.name}, who cannot enter ${closed}, where DATA_DIR lies`;
  if (exists) throw embeddedError('embedded-no-user', `${problem}. ${advice}`);
  const home = join(systemDir, nameOf(dataDir));
  try {
    await makePublicDirectory(systemDir);
    await mkdir(home, { recursive: true });
    await withDirectory(home, (held) => held.chmod(0o711));
  } catch (cause) {
    throw embeddedError('embedded-no-user', `${problem}, and ${home} cannot be made. ${advice}`, {}, { cause });
  }
  if (await canEnter(user, home)) return join(home, 'postgres');
  throw embeddedError('embedded-no-user', `${problem}; it cannot enter ${home} either. ${advice}`);
}

/**
 * The data directory is ours, so its group may become that of PostgreSQL and pass through it: not list it, and the secrets in it are
 * readable by us only. A group that already has rights is left alone, and so are the directories above.
 */
async function letPass(directory: string, user: PostgresUser): Promise<void> {
  const closedAbove = !(await canEnter(user, dirname(directory)));
  if (!user.switched || closedAbove || (await canEnter(user, directory))) return;
  await withDirectory(directory, async (held) => {
    const { uid, mode } = await held.stat();
    if (uid !== process.getuid?.() || mode & 0o070) return;
    await held.chown(uid, user.gid);
    await held.chmod((mode & 0o7777) | 0o010);
  });
}

/** PostgreSQL itself survives a full disk, but cannot recover from a crash without room for its log. */
export async function requireSpace(directory: string, bytesMin = FREE_BYTES_MIN): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= bytesMin) return;
  throw embeddedError(
    'embedded-no-space',
    `${directory} has ${free} bytes free, and at least ${bytesMin} are needed. Make room, or set DATA_DIR to another disk.`,
  );
}
