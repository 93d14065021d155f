import type { Logger } from 'pino';
import type { Settings } from '../config/index.js';
import { KeyRing } from '../crypto/keys.js';
import { connectionOf } from './connection-url.js';
import { Database } from './database.js';
import { ownMasterKey, startEmbeddedServer } from './embedded/index.js';
import { firstConnection, explainRefusal } from './first-connection.js';
import { migrate, readMigrations } from './migrate.js';
import { Storage } from './storage.js';

/** Injection token. */
export const OPEN_STORAGE = Symbol('open storage');

export interface OpenStorage {
  readonly storage: Storage;
  readonly database: Database;
  readonly keys: KeyRing;
}

/**
 * Starts or finds PostgreSQL, brings the schema up to this release and opens the pools. `signal` ends the wait for an unreachable server.
 */
export async function openStorage(settings: Settings, log: Logger, signal?: AbortSignal): Promise<OpenStorage> {
  const keys = await openKeys(settings);
  const storage = await findStorage(settings, log);
  const { poolSize, appendConnections, statementTimeoutMs, lockTimeoutMs } = settings.storage;
  const database = new Database({
    connection: storage.connection,
    poolSize,
    appendConnections,
    statementTimeoutMs,
    lockTimeoutMs,
    onError: (err) => log.warn({ err }, 'a connection to the store was lost'),
  });
  try {
    const client = await firstConnection(database, log, { signal });
    const applied = await migrate(client, await readMigrations())
      .catch((error: unknown) => Promise.reject(explainRefusal(error)))
      .finally(() => client.end());
    if (applied.length > 0) log.info({ migrations: applied }, 'schema brought up to date');
    return { storage, database, keys };
  } catch (error) {
    await database.close();
    await storage.stop();
    throw error;
  }
}

async function findStorage({ storage }: Settings, log: Logger): Promise<Storage> {
  if (storage.databaseUrl) {
    const connection = await connectionOf(storage.databaseUrl.reveal(), storage.databaseCaFile);
    return new Storage(connection, undefined);
  }
  const server = await startEmbeddedServer({ dataDir: storage.dataDir, log });
  return new Storage(server.connection, server);
}

/** The given master key, or the one that the embedded store generated. */
async function openKeys({ security, storage }: Settings): Promise<KeyRing> {
  const previous = security.secretKeyPrevious && Buffer.from(security.secretKeyPrevious.reveal());
  const given = security.secretKey && Buffer.from(security.secretKey.reveal());
  return new KeyRing(given ?? (await ownMasterKey(storage.dataDir)), previous);
}
