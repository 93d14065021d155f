import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { importTypeScript } from './typescript-hooks.mjs';

/** Of this run alone: others may be testing against the same server. */
const TEMPLATE = `template_${randomBytes(6).toString('hex')}`;
const source = (path) => new URL(`../../src/platform/postgres/${path}`, import.meta.url).href;

/**
 * One PostgreSQL for the whole run, with a migrated template database that each test file clones. `TEST_DATABASE_URL` names another
 * server to test against (a role that may create databases); without it an embedded one is started, with fsync on, in a directory
 * that goes away with it. Workers find the server in the environment variable TEST_POSTGRES.
 */
export default async function startPostgres() {
  const { connection, stop } = process.env.TEST_DATABASE_URL
    ? givenServer(process.env.TEST_DATABASE_URL)
    : await ownServer();
  globalThis.stopTestPostgres = stop;
  try {
    await prepareTemplate(connection);
  } catch (error) {
    await stop();
    throw error;
  }
  process.env.TEST_POSTGRES = JSON.stringify({ connection, template: TEMPLATE });
}

function givenServer(url) {
  const { host, port, user, password, database, ssl } = new Client({ connectionString: url });
  const connection = { host, port, user, password, database, ssl };
  const stop = () => withClient(connection, (admin) => admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE}`));
  return { connection, stop };
}

const ignore = () => undefined;

async function ownServer() {
  const { startEmbeddedServer } = await importTypeScript(source('embedded/index.ts'));
  const dataDir = await mkdtemp(join(tmpdir(), 'event-store-test-'));
  const discard = () => rm(dataDir, { recursive: true, force: true });
  try {
    const server = await startEmbeddedServer({ dataDir, log: { info: ignore, warn: ignore, error: console.error } });
    return { connection: server.connection, stop: () => server.stop().finally(discard) };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function prepareTemplate(connection) {
  const { migrate, readMigrations } = await importTypeScript(source('migrate.ts'));
  await withClient(connection, (admin) =>
    admin.query(`CREATE DATABASE ${TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'`),
  );
  await withClient({ ...connection, database: TEMPLATE }, async (client) => migrate(client, await readMigrations()));
}

async function withClient(connection, work) {
  const client = new Client(connection);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
