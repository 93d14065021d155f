import { randomBytes } from 'node:crypto';
import { Client, type ClientConfig } from 'pg';
import { Database, type DatabaseOptions } from '../../../src/platform/postgres/database.js';

/** What the global set-up passes to the workers. */
interface TestServer {
  readonly connection: ClientConfig;
  /** Fully migrated; nothing connects to it afterwards, so it can be cloned at any time. */
  readonly template: string;
}

export interface TestDatabase {
  readonly connection: ClientConfig;
  readonly database: Database;
  /** Closes the database and removes it, with all open connections. */
  drop(): Promise<void>;
}

/** A fresh database of a test file: a clone of the migrated template, or an empty one. A shared one stays until the end of the run. */
export async function createTestDatabase(
  kind: 'migrated' | 'empty' = 'migrated',
  lifetime: 'file' | 'shared' = 'file',
): Promise<TestDatabase> {
  const { connection: server, template } = testServer();
  const name = `${lifetime === 'shared' ? template : 'test'}_${randomBytes(6).toString('hex')}`;
  await asAdmin(server, `CREATE DATABASE ${name} TEMPLATE ${kind === 'migrated' ? template : 'template0'}`);
  const connection = { ...server, database: name };
  const database = openDatabase(connection);
  const drop = async (): Promise<void> => {
    await database.close();
    await asAdmin(server, `DROP DATABASE ${name} WITH (FORCE)`);
  };
  return { connection, database, drop };
}

/** A database as the product opens it, with few connections (all test files share those of one server) and short timeouts. */
export function openDatabase(connection: ClientConfig, options: Partial<DatabaseOptions> = {}): Database {
  return new Database({
    connection,
    poolSize: 4,
    appendConnections: 3,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    onError: () => undefined, // connections of tests are cut on purpose; the calls that use them fail on their own
    ...options,
  });
}

/** A separate connection of the test, outside the product's pools. */
export async function connect(connection: ClientConfig): Promise<Client> {
  const client = new Client(connection);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function testServer(): TestServer {
  const told = process.env['TEST_POSTGRES'];
  if (!told)
    throw new Error('No test server: the global set-up of Jest (test/support/server/global-setup.mjs) has not run.');
  return JSON.parse(told) as TestServer;
}

async function asAdmin(connection: ClientConfig, statement: string): Promise<void> {
  const client = await connect(connection);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
