import { jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '../support/api/client.js';
import type { Page } from '../support/api/workspace.js';
import { type as typed, type TerminalCommand } from '../support/server/npm-start.js';

jest.setTimeout(240_000);

const GREETED = 'npm run demo';
let dataDir: string;
let server: TerminalCommand | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'event-store-start-'));
});
afterEach(async () => {
  server?.interrupt();
  await server?.ended;
  server = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

function npmStart(env: Readonly<Record<string, string>> = {}): TerminalCommand {
  server = typed('start', { DATA_DIR: dataDir, PORT: '0', ...env });
  return server;
}

async function ended(
  running: TerminalCommand,
): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  const end = await running.ended;
  server = undefined;
  return end;
}

/** PostgreSQL removes its pid file last. */
const postgresRuns = (): Promise<boolean> =>
  access(join(dataDir, 'postgres/postmaster.pid')).then(
    () => true,
    () => false,
  );

async function untilConnected(port: number): Promise<Socket> {
  for (; ; await pause(5)) {
    const socket = connect(port, '127.0.0.1');
    if (await once(socket, 'connect').catch(() => false)) return socket;
  }
}

const found = (output: string, pattern: RegExp): string => pattern.exec(output)?.[1] ?? '';
const addressIn = (output: string): string => found(output, /listens on (\S+)/);
const fileIn = (output: string): string => found(output, /API key {2,}(\S+)/);
const keyIn = async (output: string): Promise<string> => (await readFile(fileIn(output), 'utf8')).trim();

describe('npm start', () => {
  it('prints its address and the next commands, which work; later starts show no credentials', async () => {
    const first = await npmStart().says(GREETED);
    const url = addressIn(first);
    expect(first).toContain(`Swagger UI  ${url}/docs`);
    expect(first).toContain('Webhooks may reach 127.0.0.0/8, ::1/128 (setting DELIVERY_ALLOWED_CIDRS).');
    expect(first).toMatch(/Administrator {2}admin@event-store\.local\n {2}Password {7}\S{24}\n/);
    const key = await keyIn(first);
    const client = new Client(url, { 'x-api-key': key });
    const next = /^ {2}(curl -s .*)$/m.exec(first)![1]!;
    expect(JSON.parse(execFileSync('sh', ['-c', next], { encoding: 'utf8' }))).toMatchObject({ id: 'acme' });

    const demo = typed('demo', { DATA_DIR: dataDir, BASE_URL: url });
    await expect(demo.ended).resolves.toEqual({ code: 0, signal: null });
    expect(demo.output()).toContain('All 358 events of 58 orders arrived in order, every signature verified');
    expect(demo.output()).toContain('Lag 0');

    server!.interrupt();
    await ended(server!);
    const again = await npmStart({ PORT: new URL(url).port }).says(GREETED);
    expect(again).not.toContain('API key ');
    expect((await client.get('/tenants/acme')).status).toBe(200);
  });

  it('accepts connections before the store is ready, and responds when it is', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const running = npmStart({ PORT: String(port) });
    const early = await untilConnected(port);
    expect(running.output()).not.toContain('listens on');
    early.write('GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await text(early)).toMatch(/^HTTP\/1.1 200 /);
  });

  it('writes the first API key where only its user reads it, prints the path and not the key, and lets it expire', async () => {
    const output = await npmStart().says(GREETED);
    expect(fileIn(output)).toBe(join(dataDir, 'admin.key'));
    const key = await keyIn(output);
    expect(key).toMatch(/^es_live_/);
    expect(output).not.toContain('es_live_');
    expect((await stat(fileIn(output))).mode & 0o777).toBe(0o600);
    const client = new Client(addressIn(output), { 'x-api-key': key });
    const { body } = await client.get<Page<{ createdAt: string; expiresAt: string }>>('/users/me/api-keys');
    const [first] = body.items;
    const days = (Date.parse(first!.expiresAt) - Date.parse(first!.createdAt)) / 86_400_000;
    expect(days).toBeCloseTo(30, 2);
  });

  it('prints the key only on demand, and then stores it nowhere', async () => {
    const output = await npmStart({ ADMIN_API_KEY: 'true' }).says(GREETED);
    const client = new Client(addressIn(output), { 'x-api-key': fileIn(output) });
    expect((await client.get('/tenants')).status).toBe(200);
    await expect(access(join(dataDir, 'admin.key'))).rejects.toThrow('ENOENT');
  });

  it('stops gracefully at one Ctrl-C, which reaches it three times: PostgreSQL has stopped when npm returns', async () => {
    const running = npmStart();
    await running.says(GREETED);
    expect(await postgresRuns()).toBe(true);
    running.interrupt();
    await ended(running);
    expect(running.output()).toContain('"msg":"stopped"');
    expect(await postgresRuns()).toBe(false);
  });

  it('stops gracefully on a signal to npm', async () => {
    const running = npmStart();
    await running.says(GREETED);
    process.kill(running.pid, 'SIGTERM');
    await ended(running);
    expect(running.output()).toContain('"msg":"stopped"');
    expect(await postgresRuns()).toBe(false);
  });

  it('stops gracefully when its terminal is closed', async () => {
    const running = npmStart();
    await running.says(GREETED);
    running.hangUp();
    await ended(running);
    expect(running.output()).toContain('"msg":"stopped"');
    expect(await postgresRuns()).toBe(false);
  });

  it('stops gracefully in the middle of the start', async () => {
    const running = npmStart();
    await running.says('PostgreSQL runs');
    running.interrupt();
    await ended(running);
    expect(running.output()).toContain('"msg":"stopped"');
    expect(await postgresRuns()).toBe(false);
  });
});

describe('a first start that cannot listen', () => {
  it('says what to set, and leaves creating and showing the administrator to the next start', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const taken = String((other.address() as AddressInfo).port);
    const refused = npmStart({ PORT: taken });
    expect((await ended(refused)).code).toBe(1);
    expect(refused.output()).toContain('Set PORT and HOST to an address of this machine that is free.\n');
    expect(refused.output()).not.toMatch(/^ {4}at /m);
    expect(refused.output()).not.toContain('pool after calling end');
    await new Promise((resolve) => other.close(resolve));

    const output = await npmStart({ PORT: taken }).says(GREETED);
    const client = new Client(addressIn(output), { 'x-api-key': await keyIn(output) });
    expect((await client.get('/tenants')).status).toBe(200);
  });

  it('says what to set if the address is of another machine', async () => {
    const refused = npmStart({ HOST: '192.0.2.1' });
    expect((await ended(refused)).code).toBe(1);
    expect(refused.output()).toContain('Set PORT and HOST');
    expect(refused.output()).not.toMatch(/^ {4}at /m);
  });
});

describe('wrong settings', () => {
  it('stop the start and are all named, without their values', async () => {
    const refused = npmStart({ PORT: 'seven', LOG_LEVEL: 'loud', DELIVERY_TIMEOUTMS: '1', ADMIN_PASSWORD: 'secret1' });
    expect((await ended(refused)).code).toBe(1);
    for (const name of ['PORT', 'LOG_LEVEL', 'DELIVERY_TIMEOUTMS', 'ADMIN_PASSWORD'])
      expect(refused.output()).toContain(name);
    expect(refused.output()).not.toMatch(/seven|loud|secret1/);
  });

  it('include a first password that production would not accept', async () => {
    const refused = npmStart({ NODE_ENV: 'production', ADMIN_PASSWORD: 'password' });
    expect((await ended(refused)).code).toBe(1);
    expect(refused.output()).toContain('(ADMIN_PASSWORD) must have at least 15 characters');
    await expect(access(join(dataDir, 'admin.key'))).rejects.toThrow('ENOENT');
  });

  it('of DATA_DIR are reported as such, not as those of the address', async () => {
    const refused = npmStart({ DATA_DIR: '/dev/null' });
    expect((await ended(refused)).code).toBe(1);
    expect(refused.output()).toContain('mkdir /dev/null failed (EEXIST). A file lies where a directory is wanted');
  });
});
