import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, realpath, stat, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyBinaries, type Binaries } from './binaries.js';
import { embeddedError } from './embedded-errors.js';
import { canReach, type RunAs } from './run-as.js';

const FREE_BYTES_MIN = 128 * 1024 * 1024;
/** Where root keeps what the other user must reach. */
const SYSTEM_PLACE = '/var/lib/event-store';

export interface Layout {
  /** The real path of DATA_DIR. */
  readonly dataDir: string;
  /** PGDATA. */
  readonly clusterDir: string;
  /** Short: a socket path has at most 107 bytes. Mode 0700, owned by the user of PostgreSQL. */
  readonly socketDir: string;
  readonly binaries: Binaries;
  readonly runAs: RunAs | undefined;
}

export interface LayoutLog {
  info(fields: object, message: string): void;
}

/** Decides where everything lies, and makes the directories. */
export async function layOut(
  dataDir: string,
  binaries: Binaries,
  runAs: RunAs | undefined,
  log: LayoutLog,
): Promise<Layout> {
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  const real = await realpath(dataDir);
  await requireSpace(real);
  const name = createHash('sha256').update(real).digest('hex').slice(0, 12);
  const socketDir = join(tmpdir(), `event-store-${name}`);
  await makePrivate(socketDir, runAs);
  const here = { dataDir: real, clusterDir: join(real, 'postgres'), socketDir, binaries, runAs };
  if (!runAs) return here;
  await letPass(real);
  const clusterFits = await canReach(here.clusterDir, runAs);
  const binariesFit = await canReach(join(binaries.directory, 'bin/postgres'), runAs);
  if (clusterFits && binariesFit) return here;
  const moved = {
    ...here,
    binaries: binariesFit ? binaries : await copyBinaries(binaries, SYSTEM_PLACE),
    clusterDir: clusterFits ? here.clusterDir : await moveCluster(real, name, runAs),
  };
  log.info(
    { cluster: moved.clusterDir, binaries: moved.binaries.directory },
    'PostgreSQL cannot reach this directory as its own user; it lies elsewhere',
  );
  return moved;
}

/** The data directory is ours: the user of PostgreSQL may pass through it. He cannot list it, and the secrets in it are readable by us only. */
async function letPass(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  if (!(mode & 0o001)) await chmod(directory, (mode & 0o777) | 0o011);
}

/** The data directory keeps a note of where its cluster is. */
async function moveCluster(dataDir: string, name: string, runAs: RunAs): Promise<string> {
  const place = join(SYSTEM_PLACE, name);
  await mkdir(place, { recursive: true, mode: 0o755 });
  if (!(await canReach(join(place, 'postgres'), runAs))) {
    throw embeddedError(
      'embedded-no-user',
      `PostgreSQL, as its own user, can reach neither ${dataDir} nor ${place}. Set DATA_DIR to a directory that everybody may enter, or set DATABASE_URL.`,
    );
  }
  await writeFile(join(dataDir, 'postgres.location'), `${join(place, 'postgres')}\n`);
  return join(place, 'postgres');
}

/** Somebody else's directory of this name would be a trap: then nothing is put into it. */
async function makePrivate(directory: string, runAs: RunAs | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(directory);
  const ours = process.getuid?.();
  if (!found.isDirectory() || (found.uid !== ours && found.uid !== runAs?.uid)) {
    throw embeddedError(
      'embedded-not-ours',
      `${directory} belongs to somebody else. Remove it, or set TMPDIR to a directory of your own.`,
    );
  }
  await chmod(directory, 0o700);
  if (runAs) await chown(directory, runAs.uid, runAs.gid);
}

async function requireSpace(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free < FREE_BYTES_MIN) {
    throw embeddedError(
      'embedded-no-space',
      `${directory} has ${free} bytes free, and at least ${FREE_BYTES_MIN} are needed. Make room, or set DATA_DIR to another disk.`,
    );
  }
}
