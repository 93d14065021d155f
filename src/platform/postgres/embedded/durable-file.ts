import { randomBytes } from 'node:crypto';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Written completely, and on disk before anything depends on it: an empty file after a power cut would lock us out. A link in its place is
 * replaced, not followed.
 */
export async function writeDurably(file: string, text: string): Promise<void> {
  await rename(await writeAside(file, text), file);
  await syncDirectory(dirname(file));
}

/** Writes a new file beside the final path; returns its path. */
export async function writeAside(file: string, text: string): Promise<string> {
  // Not named by the pid, which two containers on one volume may share.
  const partial = `${file}.partial-${randomBytes(4).toString('hex')}`;
  await written(await open(partial, 'wx', 0o600), text);
  return partial;
}

export async function written(handle: FileHandle, text: string): Promise<void> {
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
