import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedServer, type EmbeddedServer } from '../../src/platform/postgres/embedded/index.js';
import { chooseUser } from '../../src/platform/postgres/embedded/run-as.js';

const AS_ROOT = process.getuid?.() === 0;
const ignore = (): void => undefined;
const running = new Set<EmbeddedServer>();
const logged: string[] = [];
let root: string;
let dataDir: string;

async function start(directory = dataDir): Promise<EmbeddedServer> {
  const note = (_: object, message: string): number => logged.push(message);
  const server = await startEmbeddedServer({ dataDir: directory, log: { info: note, warn: note, error: note } });
  running.add(server);
  return server;
}

async function stop(server: EmbeddedServer): Promise<void> {
  running.delete(server);
  await server.stop();
}

async function query<T = unknown>({ connection }: EmbeddedServer, text: string): Promise<T> {
  const client = new pg.Client(connection);
  client.on('error', ignore);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, T>>(text);
    return Object.values(rows[0] ?? {})[0] as T;
  } finally {
    await client.end();
  }
}

/** Another app on the data directory, to be killed. */
async function otherApp(): Promise<{ pid: number; kill: () => Promise<void> }> {
  const child = fork(join(import.meta.dirname, '../support/embedded-process.mjs'), [dataDir], { stdio: 'inherit' });
  const [{ pid }] = (await once(child, 'message')) as [{ pid: number }];
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { pid, kill };
}

async function eventually(condition: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('it did not come true in time');
    await breathe();
  }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'embedded-'));
  chmodSync(root, 0o755);
  dataDir = join(root, 'data');
  logged.length = 0;
});

afterEach(async () => {
  for (const server of running) await stop(server);
  rmSync(root, { recursive: true, force: true });
});

describe('the embedded PostgreSQL', () => {
  it('is durable, checks its pages, listens to no network, and keeps its data over a restart', async () => {
    const first = await start();
    expect(await query(first, 'SHOW data_checksums')).toBe('on');
    expect(await query(first, 'SHOW listen_addresses')).toBe('');
    expect(await query(first, 'SHOW synchronous_commit')).toBe('on');
    expect(await query(first, 'SHOW fsync')).toBe('on');
    await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stop(first);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    const second = await start();
    expect(await query(second, 'SELECT answer FROM kept')).toBe(42);
  });

  it('lets nobody in without the password, which only its owner can read', async () => {
    const server = await start();
    const stranger = new pg.Client({ ...server.connection, password: 'guess' });
    await expect(stranger.connect()).rejects.toThrow(/password/);
    const mode = (await import('node:fs')).statSync(join(dataDir, 'postgres.password')).mode & 0o777;
    expect(mode).toBe(0o600);
  });

  it('refuses a second app on the same directory, naming the first, and takes it once the first is gone', async () => {
    const first = await start();
    await expect(
      startEmbeddedServer({ dataDir, log: { info: ignore, warn: ignore, error: ignore } }),
    ).rejects.toMatchObject({
      code: 'embedded-in-use',
      message: expect.stringContaining(String(process.pid)),
    });
    await stop(first);
    await stop(await start());
  });

  it('goes on when its app is killed, and is adopted by the next one with all its data', async () => {
    const app = await otherApp();
    await app.kill();
    const adopter = await start();
    expect(adopter.pid()).toBe(app.pid);
    expect(logged).toContain('PostgreSQL is still running; taking it over');
    expect(await query(adopter, 'SELECT 1')).toBe(1);
  });

  it('starts over a stale pid file', async () => {
    const first = await start();
    const file = join(dataDir, 'postgres', 'postmaster.pid');
    const text = readFileSync(file, 'utf8');
    await stop(first);
    writeFileSync(file, text.replace(/^\d+/, '999999'), { mode: 0o644 });
    expect(await query(await start(), 'SELECT 1')).toBe(1);
  });

  it('comes back when its postmaster is killed', async () => {
    const server = await start();
    const killed = server.pid();
    process.kill(killed, 'SIGKILL');
    await eventually(async () => server.pid() !== killed && (await query(server, 'SELECT 1')) === 1);
    expect(logged).toContain('PostgreSQL has died; starting it again');
  });

  it('does not take a half-finished initdb for a store, and clears it away', async () => {
    mkdirSync(join(dataDir, 'postgres.partial-123'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres.partial-123', 'PG_VERSION'), '18\n');
    await start();
    expect(readdirSync(dataDir).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('leaves a cluster of another major version alone and says what to do', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toMatchObject({
      code: 'embedded-other-version',
      message: expect.stringMatching(/15.*18.*pg_dump/s),
    });
    expect(readFileSync(join(dataDir, 'postgres', 'PG_VERSION'), 'utf8')).toBe('15\n');
  });

  it('leaves a directory that is no cluster alone', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres', 'thesis.txt'), 'mine');
    await expect(start()).rejects.toMatchObject({ code: 'embedded-not-ours' });
    expect(readdirSync(join(dataDir, 'postgres'))).toEqual(['thesis.txt']);
  });

  it('frees the directory when a start fails', async () => {
    mkdirSync(join(dataDir, 'postgres'), { recursive: true });
    await expect(start()).rejects.toMatchObject({ code: 'embedded-not-ours' });
    rmSync(join(dataDir, 'postgres'), { recursive: true });
    expect(await query(await start(), 'SELECT 1')).toBe(1);
  });

  it('finds another place, and notes it, where its user cannot reach the directory (as root)', async () => {
    if (!AS_ROOT) return;
    chmodSync(root, 0o700);
    await start();
    const location = readFileSync(join(dataDir, 'postgres.location'), 'utf8').trim();
    expect(existsSync(join(location, 'PG_VERSION'))).toBe(true);
    for (const server of running) await stop(server);
    rmSync(join(location, '..'), { recursive: true });
  });

  it('runs as postgres or nobody for root, and as oneself for anybody else', () => {
    const passwd = 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n';
    expect(chooseUser(passwd, 1_000)).toBeUndefined();
    expect(chooseUser(passwd, 0)).toEqual({ uid: 65_534, gid: 65_534 });
    expect(chooseUser(`${passwd}postgres:x:103:104::/:/bin/sh\n`, 0)).toEqual({ uid: 103, gid: 104 });
    expect(() => chooseUser('root:x:0:0::/root:/bin/sh\n', 0)).toThrow(/ordinary user/);
  });
});
