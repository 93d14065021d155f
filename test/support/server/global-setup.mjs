import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { buildProduct, fromBuild } from './build.mjs';

/** For this run alone: other runs may use the same server. */
const TEMPLATE = `template_${randomBytes(6).toString('hex')}`;

/**
 * One build of the product and one PostgreSQL for the whole run, with a migrated template database that each test file clones.
 * `TEST_DATABASE_URL` names another server to test against (a role that may create databases); without it an embedded one is started,
 * with fsync on, in a directory that is removed with it. Workers find both in the environment: TEST_BUILD and TEST_POSTGRES.
 */
export default async function setUp() {
  const { directory, remove } = await buildProduct();
  globalThis.tearDown = remove;
  try {
    const { connection, stop } = process.env.TEST_DATABASE_URL
      ? givenServer(process.env.TEST_DATABASE_URL)
      : await ownServer(directory);
    globalThis.tearDown = () => stop().finally(remove);
    await prepareTemplate(connection, directory);
    process.env.TEST_BUILD = directory;
    process.env.TEST_POSTGRES = JSON.stringify({ connection, template: TEMPLATE });
  } catch (error) {
    await globalThis.tearDown();
    throw error;
  }
}

function givenServer(url) {
  const { host, port, user, password, database, ssl } = new Client({ connectionString: url });
  const connection = { host, port, user, password, database, ssl };
  const stop = () =>
    withClient(connection, async (admin) => {
      const { rows } = await admin.query('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [TEMPLATE]);
      for (const { datname } of rows) await admin.query(`DROP DATABASE ${datname} WITH (FORCE)`);
    });
  return { connection, stop };
}

const ignore = () => undefined;

async function ownServer(build) {
  const { startEmbeddedServer } = await fromBuild(build, 'platform/postgres/embedded/index.js');
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

async function prepareTemplate(connection, build) {
  const { migrate, readMigrations } = await fromBuild(build, 'platform/postgres/migrate.js');
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
