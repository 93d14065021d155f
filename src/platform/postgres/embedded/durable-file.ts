import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** On disk, whole, before what depends on it: an empty file after a power cut would lock us out. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const partial = `${file}.partial-${process.pid}`;
  await rm(partial, { force: true });
  await written(await open(partial, 'wx', 0o600), text);
  await rename(partial, file);
  await syncDirectory(dirname(file));
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
