import { randomBytes } from 'node:crypto';
import { access, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, written } from './durable-file.js';
import { embeddedError, withAdvice } from './embedded-errors.js';

/**
 * The master key of a store that was given none: DATA_DIR/secret.key, generated at the first start, readable by its owner only. An existing
 * store already has one: another would make its secrets unreadable and its passwords wrong, so a lost one is never silently replaced.
 */
export async function embeddedMasterKey(dataDir: string): Promise<Buffer> {
  try {
    const file = join(dataDir, 'secret.key');
    await mkdir(dataDir, { recursive: true });
    const key = (await read(file)) ?? (await make(file, dataDir));
    if (key !== '') return Buffer.from(key);
    throw lost(file, 'is empty');
  } catch (error) {
    throw withAdvice(error);
  }
}

async function make(file: string, dataDir: string): Promise<string> {
  // The first start writes it after the key, and before the cluster.
  if (await exists(join(dataDir, 'postgres.password'))) throw lost(file, 'is missing');
  // Not named by the pid, which two containers on one volume may share.
  const own = `${file}.partial-${randomBytes(4).toString('hex')}`;
  await written(await open(own, 'wx', 0o600), randomBytes(32).toString('base64'));
  // The first process wins, since the lock of the directory is taken later: the other continues with its key.
  await link(own, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(own);
  await syncDirectory(dataDir);
  return (await read(file))!;
}

const lost = (file: string, how: string): Error =>
  embeddedError(
    'embedded-start-failed',
    `${file} ${how}: the key with which the secrets in this store are encrypted. Restore it from the backup of DATA_DIR, or set SECRET_KEY if the store was made with one. ` +
      'If it is lost for good, put a new one there (openssl rand -base64 32); docs/operations.md says what cannot be read any more then.',
  );

/** Without the newline that editors and openssl append: SECRET_KEY has none either. */
async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trimEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
