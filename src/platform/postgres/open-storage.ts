import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { messageOf } from '../../kernel/domain-error.js';
import type { Settings } from '../config/index.js';
import { KeyRing } from '../crypto/keys.js';
import { connectionOf } from './connection-url.js';
import { asDomainError, Database } from './database.js';
import { ownMasterKey, startEmbeddedServer } from './embedded/index.js';
import { migrate, readMigrations } from './migrate.js';
import { isUnreachable } from './sql-state.js';
import { Storage } from './storage.js';

const FIRST_CONNECTION_MS = 60_000;

export interface OpenStorage {
  readonly storage: Storage;
  readonly database: Database;
  readonly keys: KeyRing;
}

/** Starts or finds PostgreSQL, brings the schema up to this release and opens the pools. `signal` ends the wait for one that is away. */
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
    const client = await firstConnection(database, log, signal);
    const applied = await migrate(client, await readMigrations()).finally(() => client.end());
    if (applied.length > 0) log.info({ migrations: applied }, 'schema brought up to date');
    return { storage, database, keys };
  } catch (error) {
    await database.close();
    await storage.stop();
    throw error;
  }
}

/** A database that starts together with us may take its time. */
async function firstConnection(database: Database, log: Logger, signal?: AbortSignal): Promise<pg.Client> {
  const deadline = performance.now() + FIRST_CONNECTION_MS;
  for (let delay = 250; ; delay = Math.min(delay * 2, 5_000)) {
    try {
      return await database.dedicatedClient('event-store migrations');
    } catch (error) {
      if (!isUnreachable(error) || performance.now() > deadline) throw asDomainError(error);
      log.warn({ retryMs: delay, reason: messageOf(error) }, 'the database cannot be reached yet');
      await pause(delay, undefined, { signal });
    }
  }
}

async function findStorage({ storage }: Settings, log: Logger): Promise<Storage> {
  if (storage.databaseUrl) {
    const connection: pg.ClientConfig = await connectionOf(storage.databaseUrl.reveal(), storage.databaseCaFile);
    return new Storage(connection, undefined);
  }
  const server = await startEmbeddedServer({ dataDir: storage.dataDir, log });
  return new Storage(server.connection, server);
}

/** The given master key, or the one that the embedded store has made for itself. */
async function openKeys({ security, storage }: Settings): Promise<KeyRing> {
  const previous = security.secretKeyPrevious && Buffer.from(security.secretKeyPrevious.reveal());
  const given = security.secretKey && Buffer.from(security.secretKey.reveal());
  return new KeyRing(given ?? (await ownMasterKey(storage.dataDir)), previous);
}
