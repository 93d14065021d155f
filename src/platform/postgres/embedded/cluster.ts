import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { embeddedError } from './embedded-errors.js';
import type { Layout } from './layout.js';

export const SUPERUSER = 'event_store';

const libraryPath = (native: string): NodeJS.ProcessEnv => {
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', [variable]: join(native, 'lib') };
};

/** How programs of PostgreSQL are run: as their user, with their libraries, and with nothing else of our environment. */
export const spawnOptions = ({ binaries, runAs }: Layout) => ({
  ...(runAs && { uid: runAs.uid, gid: runAs.gid }),
  env: libraryPath(binaries.directory),
  cwd: '/',
});

/** The password of the superuser, made at the first start, readable by us only. */
export async function passwordOf({ dataDir }: Layout): Promise<string> {
  const file = join(dataDir, 'postgres.password');
  if (!existsSync(file)) {
    const partial = `${file}.partial-${process.pid}`;
    await writeFile(partial, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await rename(partial, file);
  }
  return (await readFile(file, 'utf8')).trim();
}

/** Creates the cluster if there is none. It is made beside and moved in place when it is complete: half a cluster is never found. */
export async function ensureCluster(layout: Layout, password: string): Promise<void> {
  const { clusterDir } = layout;
  await removeLeftovers(clusterDir);
  if (existsSync(clusterDir)) return judgeCluster(layout);
  const partial = `${clusterDir}.partial-${process.pid}`;
  await mkdir(partial, { mode: 0o700 });
  if (layout.runAs) await chown(partial, layout.runAs.uid, layout.runAs.gid);
  try {
    await initdb(layout, partial, password);
    await rename(partial, clusterDir);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function removeLeftovers(clusterDir: string): Promise<void> {
  const parent = dirname(clusterDir);
  for (const name of await readdir(parent)) {
    if (name.startsWith(`${basename(clusterDir)}.partial-`)) await rm(join(parent, name), { recursive: true });
  }
}

async function judgeCluster({ clusterDir, binaries }: Layout): Promise<void> {
  const wanted = binaries.version.split('.', 1)[0]!;
  const found = await readFile(join(clusterDir, 'PG_VERSION'), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  if (found === undefined) {
    throw embeddedError(
      'embedded-not-ours',
      `${clusterDir} exists, but is no PostgreSQL cluster. Move it away, or set DATA_DIR to another directory; nothing was changed.`,
    );
  }
  if (found !== wanted) {
    throw embeddedError(
      'embedded-other-version',
      `${clusterDir} was made by PostgreSQL ${found}; this release brings ${wanted}. Start the release that made it, or move the data with pg_dump and pg_restore; nothing was changed.`,
    );
  }
}

/** The password goes by a file that only the user of PostgreSQL can read, and that is gone afterwards. */
async function initdb(layout: Layout, directory: string, password: string): Promise<void> {
  const { binaries, socketDir, runAs } = layout;
  const passwordFile = join(socketDir, `password-${process.pid}`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (runAs) await chown(passwordFile, runAs.uid, runAs.gid);
  try {
    const args = [
      '-D',
      directory,
      '-U',
      SUPERUSER,
      '--encoding=UTF8',
      '--locale=C',
      '--data-checksums',
      '--no-instructions',
    ];
    args.push('--auth=scram-sha-256', `--pwfile=${passwordFile}`);
    const { code, output } = await run(join(binaries.directory, 'bin/initdb'), args, layout);
    if (code !== 0) throw embeddedError('embedded-start-failed', `initdb failed: ${output.trim().slice(-2_000)}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function run(
  program: string,
  args: readonly string[],
  layout: Layout,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, args, { ...spawnOptions(layout), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { code, output };
}
