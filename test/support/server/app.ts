import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientConfig } from 'pg';
import { PROXIED } from '../api/api-keys.js';
import { Client } from '../api/client.js';
import { connect, createTestDatabase, type TestDatabase } from './postgres.js';
import type { Announcement, SharedServer } from './shared-server.mjs';

export const ADMIN_EMAIL = 'admin@example.test';
export const ADMIN_PASSWORD = 'correct horse battery staple';
export const SECRET_KEY = 'c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXMtbG9uZy4=';

/** A killed server counts as dead after 2.5 s instead of 6: for tests of what happens then, not when. */
export const QUICK_TAKEOVER = { DELIVERY_HEARTBEAT_MS: '700', DELIVERY_LEASE_TTL_MS: '2500' } as const;

export interface AppOptions {
  /** On top of what every test server gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** A database that the test uses further; without it the server gets a fresh one, which is removed with it. */
  readonly connection?: ClientConfig;
  /** The key of an earlier server on the same database: it is shown at the first start only. */
  readonly apiKey?: string;
  /** Source positions in errors, as in production. */
  readonly sourceMaps?: true;
}

/** The surroundings of a server process. */
export interface Surroundings {
  /** By how much its system clock is ahead of ours. */
  readonly clockShiftMs?: number;
  /** Host names and their addresses; all others are looked up. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  /** Blocks the event loop of its main thread for this long, once. */
  readonly blockMs?: number;
  /** Throws an uncaught error with this message in its other threads. */
  readonly failure?: string;
}

export interface TestApp {
  readonly url: string;
  readonly apiKey: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
  readonly connection: ClientConfig;
  /** With the administrator's API key. */
  readonly client: Client;
  stop(): Promise<void>;
}

export interface TestProcess extends TestApp {
  readonly pid: number;
  /** All of standard output so far. */
  output(): string;
  /** Resolves when they are in effect. */
  surround(surroundings: Surroundings): Promise<void>;
  /** CPU time so far on all threads, in milliseconds: it does not depend on the load of the machine. */
  cpuMs(): Promise<number>;
  /** SIGKILL: nothing is finished, nothing is logged. */
  kill(): Promise<void>;
}

declare global {
  /** Both by environment.mjs: outside of the modules of a file, and the number of this file in its worker. */
  var sharedServer: SharedServer;
  var fileNumber: number;
}

/** Many files send requests from few addresses; and fifty that wait for one lock on a busy machine do not mean that the store is away. */
const SHARED = {
  DELIVERY_THREADS: '0',
  ...PROXIED,
  API_KEY_MISSES_PER_MINUTE: '1000000',
  LOCK_TIMEOUT_MS: '10000',
};

/**
 * The server that the files of a worker share, for tests that keep to their own tenants and people and change nothing global: a second
 * less than a separate one. A file awaits it at its top. It trusts its proxy. Tests that count, read the log, or set the clock or settings
 * start their own.
 */
export async function sharedApp(): Promise<TestApp> {
  const { url, firstAccess, connection } = await globalThis.sharedServer.running(async () => {
    const { connection: fresh, database } = await createTestDatabase('migrated', 'shared');
    await database.close();
    return { module: SERVER, options: processOptions(fresh, { env: SHARED }), connection: fresh };
  });
  const app = described(url, firstAccess, connection, {});
  const stop = (): Promise<void> => leave(app);
  afterAll(stop);
  return { ...app, stop };
}

/** Fails if the server ended during this file. Stops deliveries to all its consumers. */
async function leave({ client, connection }: Pick<TestApp, 'client' | 'connection'>): Promise<void> {
  globalThis.sharedServer.check();
  const sql = await connect(connection);
  const { rows } = await sql.query<{ tenant: string }>(
    `SELECT DISTINCT tenant_id AS tenant FROM consumer JOIN tenant USING (tenant_id)
     WHERE consumer.state = 'active' AND tenant.state = 'active'`,
  );
  await sql.end();
  for (const { tenant } of rows) await client.post(`/tenants/${tenant}/suspend`, {});
}

/** The server with its lanes in the main thread, which is ready sooner. */
export const startApp = (options: AppOptions = {}): Promise<TestApp> =>
  startProcess({ ...options, env: { DELIVERY_THREADS: '0', ...options.env } });

/** The server from its sources, inside the process of the test, which can access its parts. It takes a second more. */
export async function startInside(options: AppOptions = {}): Promise<TestApp> {
  const { connection, drop } = await databaseOf(options);
  try {
    const { start, loadSettings } = await product();
    const env = { DELIVERY_THREADS: '0', ...environment(connection, options) }; // threads can only run a build
    const running = await start(loadSettings({ env }), '0.0.0-test');
    const stop = (): Promise<void> => running.stop().finally(drop);
    return { ...described(running.url, running.firstAccess, connection, options), stop };
  } catch (error) {
    await drop();
    throw error;
  }
}

/**
 * Nest is imported first and alone: some packages around it are CommonJS and require it, and Jest refuses to require a module that it is
 * still linking.
 */
async function product(): Promise<
  typeof import('../../../src/bootstrap.js') & typeof import('../../../src/platform/config/index.js')
> {
  for (const first of ['reflect-metadata', '@nestjs/common', '@nestjs/core', '@nestjs/terminus', '@nestjs/swagger'])
    await import(first);
  return { ...(await import('../../../src/platform/config/index.js')), ...(await import('../../../src/bootstrap.js')) };
}

const SERVER = fileURLToPath(new URL('server-process.mjs', import.meta.url));
const SURROUNDINGS = new URL('surroundings.mjs', import.meta.url).href;

function processOptions(
  connection: ClientConfig,
  options: AppOptions & { readonly surroundings?: Surroundings },
): ForkOptions {
  return {
    env: {
      PATH: process.env['PATH'],
      TEST_BUILD: process.env['TEST_BUILD'],
      NODE_COMPILE_CACHE: `${process.env['TEST_BUILD']}/.cache`,
      TEST_SURROUNDINGS: JSON.stringify(options.surroundings ?? {}),
      ...environment(connection, options),
    },
    // The import is loaded into every thread, before the product. Source maps, with which the product runs, are a quarter of a start.
    execArgv: [
      '--no-warnings',
      ...((options.sourceMaps ?? process.env['TEST_SOURCE_MAPS']) ? ['--enable-source-maps'] : []),
      '--import',
      SURROUNDINGS,
    ],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  };
}

/** The server as a separate process, to be killed and started again. */
export async function startProcess(
  options: AppOptions & { readonly surroundings?: Surroundings } = {},
): Promise<TestProcess> {
  const { connection, drop } = await databaseOf(options);
  const child = fork(SERVER, processOptions(connection, options));
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  try {
    const { url, firstAccess } = await announced(child, () => output);
    return {
      ...described(url, firstAccess, connection, options),
      pid: child.pid!,
      output: () => output,
      surround: (surroundings) => surround(child, surroundings),
      cpuMs: () => computed(child),
      kill: () => end(child, 'SIGKILL'),
      stop: () => end(child, 'SIGTERM').finally(drop),
    };
  } catch (error) {
    await end(child, 'SIGKILL');
    await drop();
    throw error;
  }
}

async function announced(child: ChildProcess, output: () => string): Promise<Announcement> {
  const outcome = Promise.withResolvers<Announcement>();
  child.once('message', (message) => outcome.resolve(message as Announcement));
  child.once('exit', (code, signal) => outcome.reject(new Error(`The server ended (${code ?? signal}): ${output()}`)));
  const said = await outcome.promise;
  if (said.failure !== undefined) throw new Error(said.failure);
  return said;
}

async function surround(child: ChildProcess, surroundings: Surroundings): Promise<void> {
  const done = once(child, 'message');
  child.send(surroundings);
  await done;
}

async function computed(child: ChildProcess): Promise<number> {
  const answered = once(child, 'message');
  child.send('cpu');
  const [{ cpu }] = (await answered) as [{ cpu: NodeJS.CpuUsage }];
  return (cpu.user + cpu.system) / 1_000;
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

async function databaseOf(options: AppOptions): Promise<Pick<TestDatabase, 'connection' | 'drop'>> {
  if (options.connection) return { connection: options.connection, drop: () => Promise.resolve() };
  const fresh = await createTestDatabase();
  return { connection: fresh.connection, drop: () => fresh.drop() };
}

function environment(connection: ClientConfig, { env }: AppOptions): Record<string, string> {
  return {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: databaseUrl(connection),
    SECRET_KEY,
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    ADMIN_API_KEY: 'true',
    LOG_LEVEL: 'silent',
    DELIVERY_ALLOWED_CIDRS: '127.0.0.0/8,::1/128',
    ...env,
  };
}

function databaseUrl({ user, password, host, port, database }: ClientConfig): string {
  const url = new URL(`postgres://localhost/${database}`);
  url.username = encodeURIComponent(String(user));
  url.password = typeof password === 'string' ? encodeURIComponent(password) : '';
  if (host?.startsWith('/')) url.searchParams.set('host', host);
  else url.hostname = host ?? 'localhost';
  url.port = String(port);
  return url.toString();
}

function described(
  url: string,
  firstAccess: { readonly apiKey: string | undefined } | undefined,
  connection: ClientConfig,
  options: AppOptions,
): Omit<TestApp, 'stop'> {
  const apiKey = firstAccess?.apiKey ?? options.apiKey;
  if (apiKey === undefined) throw new Error('This database has its first key already: give it as `apiKey`.');
  const client = new Client(url, { 'x-api-key': apiKey });
  return { url, apiKey, adminEmail: ADMIN_EMAIL, adminPassword: ADMIN_PASSWORD, connection, client };
}
