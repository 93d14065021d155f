import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { access, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DirectoryLock } from '../../src/platform/postgres/embedded/directory-lock.js';
import { choosePostgresUser, identity } from '../../src/platform/postgres/embedded/run-as.js';
import { startEmbeddedApp } from '../support/server/embedded-app.js';
import { ask, ended, EmbeddedStage, isAlive } from '../support/server/embedded-stage.js';

let stage: EmbeddedStage;
beforeEach(async () => {
  stage = await EmbeddedStage.set();
});
afterEach(() => stage.clear());

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

/** TCP ports that a process listens on, as the kernel reports. */
async function listeningPorts(pid: number): Promise<number[]> {
  if (process.platform !== 'linux') return lsofPorts(pid);
  const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
  const inodes = new Set((await Promise.all(links)).map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode))
    .map(([, local]) => Number.parseInt(local!.split(':')[1]!, 16));
}

function lsofPorts(pid: number): number[] {
  const { stdout } = spawnSync('lsof', ['-nP', '-a', '-p', String(pid), '-iTCP', '-sTCP:LISTEN', '-Fn'], {
    encoding: 'utf8',
  });
  return [...stdout.matchAll(/^n.*:(\d+)$/gm)].map(([, port]) => Number(port));
}

async function crash(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await ended(pid);
}

describe('a first start', () => {
  it('makes a durable cluster with checksums, accessible only by a private socket and a password', async () => {
    const { connection } = await stage.start();
    const [settings] = await ask(
      connection,
      `SELECT current_setting('data_checksums') AS checksums, current_setting('fsync') AS fsync,
              current_setting('synchronous_commit') AS commit, current_setting('full_page_writes') AS pages,
              current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses`,
    );
    expect(settings).toEqual({
      checksums: 'on',
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      encoding: 'UTF8',
      addresses: '',
    });
    expect(await mode(connection.host)).toBe(0o700);
    expect(await mode(stage.clusterDir)).toBe(0o700);
    expect(await mode(join(stage.dataDir, 'postgres.password'))).toBe(0o600);
    await expect(ask({ ...connection, password: 'guessed' }, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(await readdir(stage.dataDir)).not.toContainEqual(expect.stringContaining('partial'));
  });

  it('opens no TCP port', async () => {
    const server = await stage.start();
    expect(await listeningPorts(server.pid())).toEqual([]);
    const control = createServer().listen(0, '127.0.0.1');
    await once(control, 'listening');
    const { port } = control.address() as { port: number };
    expect(await listeningPorts(process.pid)).toContain(port);
    control.close();
  });

  it('is not confused by the remains of a killed one: the next one begins again', async () => {
    await mkdir(stage.dataDir);
    const begun = new Promise<void>((resolve) => {
      const watcher = watch(stage.dataDir, (_type, name) => {
        if (!name?.startsWith('postgres.partial-')) return;
        watcher.close();
        resolve();
      });
    });
    const killed = startEmbeddedApp(stage.dataDir, stage.systemDir);
    const outcome = killed.app.catch((error: Error) => error.message);
    await begun;
    await killed.kill();
    expect(await outcome).toContain('SIGKILL');
    expect(await readdir(stage.dataDir)).toContainEqual(expect.stringContaining('postgres.partial-'));
    await expect(access(stage.clusterDir)).rejects.toMatchObject({ code: 'ENOENT' });

    const server = await stage.start();
    expect(await ask(server.connection, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await readdir(stage.dataDir)).not.toContainEqual(expect.stringContaining('partial'));
  });
});

describe('stop and start', () => {
  it('keep the data, and stopping twice is stopping once', async () => {
    const first = await stage.start();
    await ask(first.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await Promise.all([first.stop(), first.stop()]);
    expect(await isAlive(first.pid())).toBe(false);
    await expect(access(stage.pidFile)).rejects.toMatchObject({ code: 'ENOENT' });

    const second = await stage.start();
    expect(await ask(second.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(await readFile(join(stage.dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
  });
});

describe('two apps on one directory', () => {
  it('the second reports the pid of the first; a killed first one leaves its PostgreSQL, which the next one adopts', async () => {
    const app = await stage.startApp();
    await ask(app.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const refused = stage.start();
    await expect(refused).rejects.toMatchObject({ code: 'embedded-in-use' });
    await expect(refused).rejects.toThrow(new RegExp(`pid ${app.appPid}\\b.*${stage.dataDir}.*DATA_DIR`));
    expect(await ask(app.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);

    await app.kill();
    expect(await isAlive(app.pid)).toBe(true);
    const next = await stage.start();
    expect(next.pid()).toBe(app.pid);
    expect(await ask(next.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(stage.lines).toContainEqual({ level: 'info', message: 'PostgreSQL is still running; it is taken over' });

    await next.stop();
    expect(await isAlive(app.pid)).toBe(false);
  });

  it('one that ends without stopping ends its PostgreSQL as well, also an adopted one', async () => {
    await (await stage.startApp()).kill();
    const ending = await stage.startApp();
    await ending.exit();
    await ended(ending.pid);
    expect(await isAlive(ending.pid)).toBe(false);
  });

  it('of many that ask for the lock at once, with the stale lock of a dead one present, exactly one gets it', async () => {
    const app = await stage.startApp();
    await app.kill();
    const names = async (): Promise<string[]> =>
      (await readdir(stage.dataDir)).filter((name) => name.includes('.lock.'));
    expect(await names()).toHaveLength(1);
    for (let round = 0; round < 5; round++) {
      const tries = await Promise.allSettled(
        Array.from({ length: 6 }, () => DirectoryLock.take(stage.dataDir, stage.dataDir)),
      );
      const taken = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const refused = tries.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as { code: string }] : [],
      );
      expect(taken).toHaveLength(1);
      expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['embedded-in-use']));
      await taken[0]!.release();
    }
    expect(await names()).toEqual([]);
  });

  it('a server whose socket was removed is ended and started again', async () => {
    const app = await stage.startApp();
    await ask(app.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await app.kill();
    await rm(app.connection.host!, { recursive: true });
    const next = await stage.start();
    expect(next.pid()).not.toBe(app.pid);
    expect(await isAlive(app.pid)).toBe(false);
    expect(await ask(next.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });
});

describe('a server that dies', () => {
  it.each(['started', 'adopted'])('comes back with its data, if we have %s it', async (how) => {
    if (how === 'adopted') await (await stage.startApp()).kill();
    const server = await stage.start();
    const before = server.pid();
    await ask(server.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const again = stage.told('PostgreSQL runs again');
    await crash(before);
    await again;
    expect(server.pid()).not.toBe(before);
    expect(await ask(server.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(stage.lines).toContainEqual({ level: 'error', message: 'PostgreSQL has died; starting it again' });
  });

  it('is not started again once we stop', async () => {
    const server = await stage.start();
    const died = stage.told('PostgreSQL has died; starting it again');
    await crash(server.pid());
    await died;
    await server.stop();
    expect(stage.lines).not.toContainEqual({ level: 'info', message: 'PostgreSQL runs again' });
    expect((await stage.start()).pid()).not.toBe(server.pid());
  });

  it('leaves a pid file that the next start recognizes as stale, also when another program has the pid', async () => {
    const app = await stage.startApp();
    await ask(app.connection, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await app.kill();
    await crash(app.pid);
    const next = await stage.start();
    expect(await ask(next.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    const other = spawn('sleep', ['60'], identity(choosePostgresUser(undefined)));
    const file = await readFile(stage.pidFile);
    await next.stop();
    await writeFile(stage.pidFile, file);
    await stage.forgePid(other.pid!);

    const last = await stage.start();
    expect(await ask(last.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await last.stop();
    expect(await isAlive(other.pid!)).toBe(true);
    other.kill();
  });
});
