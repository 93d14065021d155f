import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Settings } from '../config/index.js';
import { KeyRing } from '../crypto/keys.js';
import { connectionOf } from './connection-url.js';
import { Database } from './database.js';
import { startEmbeddedServer } from './embedded/index.js';
import { migrate, readMigrations } from './migrate.js';
import { Storage } from './storage.js';

export interface OpenStorage {
  readonly storage: Storage;
  readonly database: Database;
  readonly keys: KeyRing;
}

/** Starts or finds PostgreSQL, brings the schema up to this release and opens the pools. */
export async function openStorage(settings: Settings, log: Logger): Promise<OpenStorage> {
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
    const client = await database.dedicatedClient('event-store migrations');
    const applied = await migrate(client, await readMigrations()).finally(() => client.end());
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
    const connection: pg.ClientConfig = await connectionOf(storage.databaseUrl.reveal(), storage.databaseCaFile);
    return new Storage(connection, undefined);
  }
  const server = await startEmbeddedServer({ dataDir: storage.dataDir, log });
  return new Storage(server.connection, server);
}

/** The given master key; the embedded store makes its own at the first start, readable by its owner only. */
async function openKeys({ security, storage }: Settings): Promise<KeyRing> {
  if (security.secretKey) return new KeyRing(Buffer.from(security.secretKey.reveal()));
  await mkdir(storage.dataDir, { recursive: true });
  const file = join(storage.dataDir, 'secret.key');
  try {
    await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return new KeyRing(Buffer.from(await readFile(file, 'utf8')));
}
