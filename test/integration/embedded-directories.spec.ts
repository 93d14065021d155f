import { spawnSync } from 'node:child_process';
import {
  chmod,
  chown,
  cp,
  lchown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { findBinaries, linkLibraries, usableBinaries } from '../../src/platform/postgres/embedded/binaries.js';
import { requireSpace } from '../../src/platform/postgres/embedded/layout.js';
import { canEnter, choosePostgresUser, type PostgresUser } from '../../src/platform/postgres/embedded/run-as.js';
import { ServerLog } from '../../src/platform/postgres/embedded/server-log.js';
import { makeSocketDirectory } from '../../src/platform/postgres/embedded/socket-directory.js';
import { ask, EmbeddedStage } from '../support/server/embedded-stage.js';

const ROOT = join(import.meta.dirname, '../..');
const weAreRoot = process.getuid?.() === 0;
const NOBODY: PostgresUser = { name: 'nobody', uid: 65_534, gid: 65_534, switched: true };

let stage: EmbeddedStage;
beforeEach(async () => {
  stage = await EmbeddedStage.set();
});
afterEach(() => stage.clear());

/** A stopped store with some data. */
async function makeStore(): Promise<void> {
  const server = await stage.start();
  await ask(server.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await server.stop();
}

async function expectKept(): Promise<void> {
  const server = await stage.start();
  expect(await ask(server.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await server.stop();
}

/** Every file with its content's size and time, to see that nothing was touched. */
async function snapshot(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  const lines = names.map(async (name) => {
    const { size, mtimeMs, uid, mode } = await stat(join(directory, name));
    return [name, size, mtimeMs, uid, mode].join(' ');
  });
  return (await Promise.all(lines)).toSorted();
}

describe('a directory that is not what it should be', () => {
  it('is refused and left alone: a cluster of another version, which works again as what it is', async () => {
    await makeStore();
    await writeFile(join(stage.clusterDir, 'PG_VERSION'), '17\n');
    const before = await snapshot(stage.clusterDir);
    const refused = stage.start();
    await expect(refused).rejects.toMatchObject({ code: 'embedded-other-version' });
    await expect(refused).rejects.toThrow(/made by PostgreSQL 17, and this release runs 18.*pg_dump/);
    expect(await snapshot(stage.clusterDir)).toEqual(before);
    await writeFile(join(stage.clusterDir, 'PG_VERSION'), '18\n');
    await expectKept();
  });

  it('is refused and left alone: files that are no cluster', async () => {
    await mkdir(stage.clusterDir, { recursive: true });
    await writeFile(join(stage.clusterDir, 'letters.txt'), 'mine');
    const before = await snapshot(stage.clusterDir);
    await expect(stage.start()).rejects.toMatchObject({ code: 'embedded-not-ours' });
    expect(await snapshot(stage.clusterDir)).toEqual(before);
  });

  it('is refused and left alone: a store whose password is lost', async () => {
    await makeStore();
    const file = join(stage.dataDir, 'postgres.password');
    await rename(file, `${file}.lost`);
    const before = await snapshot(stage.clusterDir);
    await expect(stage.start()).rejects.toThrow(/postgres\.password is missing.*Restore it.*or remove .* to begin/);
    expect(await snapshot(stage.clusterDir)).toEqual(before);
    await rename(`${file}.lost`, file);
    await expectKept();
  });

  it('is named in the error when a file lies in its place', async () => {
    await writeFile(stage.dataDir, '');
    await expect(stage.start()).rejects.toThrow(new RegExp(`${stage.dataDir}.*set DATA_DIR`));
  });

  it('is used when it is empty, and cleaned of the remains of a killed initdb', async () => {
    const partial = join(stage.dataDir, 'postgres.partial-1');
    await mkdir(join(partial, 'base'), { recursive: true });
    await writeFile(join(partial, 'PG_VERSION'), '18\n');
    await mkdir(stage.clusterDir);
    await makeStore();
    expect(await readdir(stage.dataDir)).not.toContain('postgres.partial-1');
    await expectKept();
  });

  it('reports why PostgreSQL does not start on it, in the words of PostgreSQL', async () => {
    await makeStore();
    const control = join(stage.clusterDir, 'global/pg_control');
    await rename(control, `${control}.lost`);
    const refused = stage.start();
    await expect(refused).rejects.toMatchObject({ code: 'embedded-start-failed' });
    await expect(refused).rejects.toThrow(/postgres\.log, says: .*could not find the database system/s);
    await rename(`${control}.lost`, control);
    await expectKept();
  });
});

describe('the disk', () => {
  it('must have room: the message names the place and the bytes', async () => {
    await expect(requireSpace(stage.root)).resolves.toBeUndefined();
    const wanted = requireSpace(stage.root, Number.MAX_SAFE_INTEGER);
    await expect(wanted).rejects.toMatchObject({ code: 'embedded-no-space' });
    await expect(wanted).rejects.toThrow(new RegExp(`${stage.root} has \\d+ bytes free.*${Number.MAX_SAFE_INTEGER}`));
  });

  it('is not filled by the log: it starts again at its limit, with one predecessor kept', async () => {
    const log = new ServerLog(join(stage.root, 'postgres.log'));
    const handle = await log.open();
    await handle.write('a'.repeat(60));
    await log.trim(60);
    expect(await log.size()).toBe(60);
    await log.trim(59);
    await handle.write('after');
    await handle.close();
    expect(await log.lastWords()).toBe('after');
    expect(await readFile(`${log.file}.1`, 'utf8')).toBe('a'.repeat(60));
  });

  it('is the reported reason when it is full, however many connection attempts were refused meanwhile', async () => {
    const log = new ServerLog(join(stage.root, 'postgres.log'));
    const handle = await log.open();
    await handle.write('PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device\n');
    await handle.write('FATAL:  the database system is not yet accepting connections\n'.repeat(200));
    await handle.close();
    expect(await log.lastWords()).toBe('PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device');
  });
});

describe('the socket', () => {
  it('has a path short enough for the kernel, however long the data directory is', async () => {
    const dataDir = join(stage.root, 'd'.repeat(120), 'e'.repeat(120));
    const server = await stage.start(dataDir);
    expect(await ask(server.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await expect(stage.start(dataDir)).rejects.toMatchObject({ code: 'embedded-in-use' });
  });

  it('is never put into a link that another user may have created', async () => {
    const user = choosePostgresUser(undefined);
    const trap = join(stage.root, 'trap');
    spawnSync('ln', ['-s', stage.root, trap]);
    await expect(makeSocketDirectory(trap, user)).rejects.toMatchObject({ code: 'embedded-not-ours' });
    expect((await stat(stage.root)).mode & 0o777).toBe(0o755);
  });
});

const ofRoot = weAreRoot ? describe : describe.skip;

ofRoot('started as root, PostgreSQL', () => {
  it('runs as another user, and a private data directory lets that user pass and no one else', async () => {
    await mkdir(stage.dataDir, { mode: 0o700 });
    await makeStore();
    const user = choosePostgresUser(undefined);
    expect((await stat(stage.clusterDir)).uid).toBe(user.uid);
    expect((await stat(stage.dataDir)).mode & 0o777).toBe(0o710);
    const stranger = { ...NOBODY, uid: 12_345, gid: 12_345 };
    expect([await canEnter(user, stage.dataDir), await canEnter(stranger, stage.dataDir)]).toEqual([true, false]);
  });

  it('lies elsewhere under a private home, where the next start finds it, and is never silently started empty', async () => {
    const home = join(stage.root, 'home');
    await mkdir(home, { mode: 0o700 });
    const dataDir = join(home, 'data');
    const first = await stage.start(dataDir);
    await ask(first.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const cluster = (await readFile(join(dataDir, 'postgres.location'), 'utf8')).trim();
    expect(cluster.startsWith(`${stage.systemDir}/`)).toBe(true);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect(stage.lines).toContainEqual({ level: 'warn', message: expect.stringContaining('outside DATA_DIR') });

    // A copy of the directory points to the same cluster.
    await cp(dataDir, join(home, 'copy'), { recursive: true, filter: (path) => !path.includes('.lock.') });
    await expect(stage.start(join(home, 'copy'))).rejects.toMatchObject({ code: 'embedded-in-use' });
    await first.stop();

    const second = await stage.start(dataDir);
    expect(await ask(second.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();
    await rename(cluster, `${cluster}.gone`);
    await expect(stage.start(dataDir)).rejects.toThrow(new RegExp(`${cluster}, which does not exist`));
    await rename(`${cluster}.gone`, cluster);
  });

  it('cannot lie elsewhere if there is no such place: then the message says what to set', async () => {
    const home = join(stage.root, 'home');
    await mkdir(home, { mode: 0o700 });
    await writeFile(stage.systemDir, 'a file');
    const refused = stage.start(join(home, 'data'));
    await expect(refused).rejects.toMatchObject({ code: 'embedded-no-user' });
    await expect(refused).rejects.toThrow(new RegExp(`cannot enter ${home}, .*Set DATA_DIR.*chmod o\\+x ${home}`));
  });

  it('is copied from a private checkout, once, its libraries linked even if install scripts were skipped', async () => {
    const checkout = join(stage.root, 'checkout');
    await mkdir(checkout, { mode: 0o700 });
    const { directory, packageVersion } = await findBinaries();
    const installed = { directory: join(checkout, 'native'), packageVersion };
    await cp(directory, installed.directory, { recursive: true, verbatimSymlinks: true });
    await unlink(join(installed.directory, 'lib/libpq.so.5'));
    await linkLibraries(installed.directory);

    const place = join(stage.root, 'programs');
    const usable = await usableBinaries(installed, NOBODY, place);
    expect(usable).toMatchObject({
      directory: join(place, `bin-${packageVersion}`),
      version: /^\d+\.\d+/.exec(packageVersion)![0],
    });
    expect(await readdir(place)).toEqual([`bin-${packageVersion}`]);
    const made = (await stat(usable.directory)).birthtimeMs;
    await usableBinaries(installed, NOBODY, place);
    expect((await stat(usable.directory)).birthtimeMs).toBe(made);

    await rm(place, { recursive: true });
    await writeFile(place, 'a file');
    const refused = usableBinaries(installed, NOBODY, place);
    await expect(refused).rejects.toThrow(new RegExp(`nobody, who cannot enter ${checkout}.*DATABASE_URL`));
  });

  it('takes back a store that root has restored from a backup', async () => {
    await makeStore();
    for (const name of await readdir(stage.clusterDir, { recursive: true }))
      await lchown(join(stage.clusterDir, name), 0, 0);
    await chown(stage.clusterDir, 0, 0);
    await chmod(stage.clusterDir, 0o755);
    await expectKept();
    const owners = (await snapshot(stage.clusterDir)).map((line) => line.split(' ').at(-2));
    expect(new Set(owners)).toEqual(new Set([String(choosePostgresUser(undefined).uid)]));
  });

  it('runs as the owner of a store that an ordinary user has made, who can still start it afterwards', async () => {
    await mkdir(stage.dataDir);
    await chown(stage.dataDir, NOBODY.uid, NOBODY.gid);
    expect(await canEnter(NOBODY, ROOT)).toBe(true); // otherwise that user cannot run the app of this test
    const theirs = await stage.startApp({ uid: NOBODY.uid, gid: NOBODY.gid });
    await ask(theirs.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await theirs.stop();
    await expectKept();
    expect((await stat(stage.clusterDir)).uid).toBe(NOBODY.uid);
    const again = await stage.startApp({ uid: NOBODY.uid, gid: NOBODY.gid });
    expect(await ask(again.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('does not put its socket into a directory of a third user', async () => {
    const user = choosePostgresUser(undefined);
    const trap = join(stage.root, 'trap');
    await mkdir(trap);
    await chown(trap, 12_345, 12_345);
    await expect(makeSocketDirectory(trap, user)).rejects.toThrow(/uid 12345.*TMPDIR/);
    expect((await stat(trap)).uid).toBe(12_345);
  });
});
