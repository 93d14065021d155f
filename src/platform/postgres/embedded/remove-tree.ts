import { execFile } from 'node:child_process';
import { lstat, rm, rmdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const TRIES = 10;
const PAUSE_MS = 100;

/**
 * Removes a directory with its contents, trying several times: the initdb of a killed app may still be writing. As root, the contents of
 * another user's directory are removed as that user, who could otherwise place a link there during the walk.
 */
export async function removeTree(path: string): Promise<void> {
  for (let left = TRIES; ; left--) {
    const found = await lstat(path).catch(() => undefined);
    if (!found) return;
    const foreign = process.getuid?.() === 0 && found.uid !== 0;
    if (foreign) await removeContentsAs(found, path);
    try {
      return await (foreign ? rmdir(path) : rm(path, { recursive: true, force: true }));
    } catch (error) {
      if (left === 0) throw error;
      await pause(PAUSE_MS);
    }
  }
}

/** The directory itself stays: it lies in one of ours. */
function removeContentsAs({ uid, gid }: { readonly uid: number; readonly gid: number }, path: string): Promise<void> {
  return new Promise((resolve) => {
    execFile('/bin/rm', ['-rf', '--', path], { uid, gid, cwd: '/', env: {} }, () => resolve());
  });
}
