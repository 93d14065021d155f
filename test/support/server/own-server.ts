import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { startEmbeddedServer } from '../../../src/platform/postgres/embedded/index.js';
import { migrate, readMigrations } from '../../../src/platform/postgres/migrate.js';
import { connect } from './postgres.js';

const ignore = (): void => undefined;

export interface OwnServer {
  readonly connection: ClientConfig;
  stop(): Promise<void>;
}

/** A server for one test file whose actions must not affect other files: its database is migrated, fsync is on. */
export async function startOwnServer(): Promise<OwnServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'event-store-test-'));
  const discard = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const server = await startEmbeddedServer({ dataDir, log: { info: ignore, warn: ignore, error: console.error } });
    const client = await connect(server.connection);
    await migrate(client, await readMigrations());
    await client.end();
    return { connection: server.connection, stop: () => server.stop().finally(discard) };
  } catch (error) {
    await discard();
    throw error;
  }
}
