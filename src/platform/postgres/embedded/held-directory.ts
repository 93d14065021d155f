import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Works on the directory by a handle, not the path: what is checked is what is changed. A link in its place is an error. */
export async function withDirectory<T>(path: string, work: (held: FileHandle) => Promise<T>): Promise<T> {
  const held = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    return await work(held);
  } finally {
    await held.close();
  }
}

/** Opens or creates a file in a directory where others may create links: neither kind of link is followed. */
export async function openPlainFile(path: string, flags: number, mode?: number): Promise<FileHandle> {
  const handle = await open(path, flags | O_NOFOLLOW, mode);
  const found = await handle.stat();
  if (found.isFile() && found.nlink === 1) return handle;
  await handle.close();
  throw Object.assign(new Error(`${path} is a link, or no file`), { code: 'EMLINK', syscall: 'open', path });
}

/** Whether only we can change what a directory contains: no one else can rename it, or any directory above. */
export async function isOursAlone(directory: string): Promise<boolean> {
  const { uid, mode } = await stat(directory);
  if (uid !== 0 && uid !== process.getuid?.()) return false;
  if (mode & WRITABLE_BY_OTHERS && !(mode & STICKY)) return false;
  const parent = dirname(directory);
  return parent === directory || isOursAlone(parent);
}
