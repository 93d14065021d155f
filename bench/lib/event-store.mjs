import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { atExit, ended, startProcess } from './children.mjs';

/** The build to measure; another one for comparisons. */
export const BUILD = process.env.BENCH_BUILD ?? join(import.meta.dirname, '../../dist');
/** Earlier builds have no bundle. */
const ENTRY = [join(BUILD, 'bundle/main.js'), join(BUILD, 'main.js')].find(existsSync);
/** The flags of scripts/start.mjs. */
const NODE_FLAGS = ['--max-semi-space-size=16', '--enable-source-maps'];
const COMPILE_CACHE = join(BUILD, '.compile-cache');
const READY_MS_MAX = 30_000;
const READY_POLL_MS = 5;
/** Settings in the environment of the benchmarks must not change what is measured. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/**
 * The product as `npm start` runs it, on a fresh embedded PostgreSQL in a temporary directory. The first start only serves to read the API
 * key that it makes; the measured one writes its log to /dev/null, because a slowly drained pipe would delay it.
 */
export class EventStore {
  #server;
  #port;
  #dataDir;
  #stayNoLonger;
  #entry;
  #env;
  apiKey = '';

  /** `nodeFlags` and `entry` serve profiles and comparisons of builds; `env` contains settings that a bench needs. */
  static async start({ nodeFlags = [], entry = ENTRY, env = {} } = {}) {
    const store = new EventStore();
    store.#entry = entry;
    store.#env = env;
    store.#dataDir = mkdtempSync(join(tmpdir(), 'event-store-bench-'));
    chmodSync(store.#dataDir, 0o755); // PostgreSQL runs as another user if we are root
    store.#stayNoLonger = atExit(() => store.#wipe());
    store.#port = await freePort();
    store.apiKey = await store.#firstKey();
    await store.run(nodeFlags);
    return store;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port() {
    return this.#port;
  }

  get pid() {
    return this.#server.pid;
  }

  get postgresPid() {
    return Number(this.#postmaster()[0]);
  }

  #spawn(nodeFlags, stdout) {
    const env = Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
    this.#server = startProcess([...NODE_FLAGS, ...nodeFlags, this.#entry], {
      env: {
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...env,
        ...this.#env,
        PORT: String(this.#port),
        DATA_DIR: this.#dataDir,
      },
      stdio: ['ignore', stdout, 'inherit'],
    });
  }

  async #firstKey() {
    this.#spawn([], 'pipe');
    for await (const line of createInterface({ input: this.#server.stdout })) {
      const printed = /^ *API key +(\S+)/.exec(line)?.[1];
      if (!printed) continue;
      // A file that contains it; earlier builds print it.
      const key = existsSync(printed) ? readFileSync(printed, 'utf8').trim() : printed;
      this.#server.stdout.resume();
      await this.stopServer();
      return key;
    }
    throw new Error('the server ended before it printed its API key');
  }

  /** Resolves when it reports that it is ready. */
  async run(nodeFlags = []) {
    this.#spawn(nodeFlags, 'ignore');
    const deadline = performance.now() + READY_MS_MAX;
    for (;;) {
      const ready = await fetch(`${this.url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
      if (this.#server.exitCode !== null) throw new Error(`the server ended with ${this.#server.exitCode}`);
      if (performance.now() > deadline) throw new Error(`the server was not ready within ${READY_MS_MAX} ms`);
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  }

  async call(method, path, body) {
    const headers = { 'x-api-key': this.apiKey };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(this.url + path, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === 'object' ? JSON.stringify(body) : body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  }

  /** The sum of a metric over its labels. */
  async metric(name) {
    const text = await this.call('GET', '/metrics');
    const samples = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  #postmaster() {
    return readFileSync(join(this.#dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n');
  }

  /** Signs credentials as the store does, for rows that a bench writes in its place. */
  async credentialSigner() {
    await import('reflect-metadata');
    const { KeyRing } = await import(join(BUILD, 'platform/crypto/keys.js'));
    const { credentialTexts } = await import(join(BUILD, 'contexts/identity/adapters/credential-signatures.js'));
    const keys = new KeyRing(Buffer.from(readFileSync(join(this.#dataDir, 'secret.key'), 'utf8').trimEnd()));
    return (kind, row) => keys.sign(credentialTexts[kind](row), 'credentials');
  }

  async connect(database) {
    const password = readFileSync(join(this.#dataDir, 'postgres.password'), 'utf8').trim();
    const account = { user: 'event_store', database: 'postgres' };
    const client = new pg.Client({ ...account, ...(database && { database }), password, host: this.#postmaster()[4] });
    await client.connect();
    return client;
  }

  async stopServer() {
    this.#server.kill('SIGTERM');
    await ended(this.#server);
  }

  async killServer() {
    this.#server.kill('SIGKILL');
    await ended(this.#server);
  }

  killPostgres() {
    process.kill(this.postgresPid, 'SIGKILL');
  }

  async stop() {
    await this.stopServer();
    this.#stayNoLonger();
    this.#wipe();
  }

  /** An immediate shutdown: the data is thrown away. */
  #wipe() {
    this.#server?.kill('SIGKILL');
    try {
      process.kill(this.postgresPid, 'SIGQUIT');
    } catch {
      // It has ended already.
    }
    rmSync(this.#dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
