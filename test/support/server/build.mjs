import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { bundle } from '../../../scripts/bundle.mjs';

const ROOT = join(import.meta.dirname, '../../..');

/**
 * Builds the product once for this run: it has many servers, and each would compile all of it. The build is beside `src`, where relative
 * paths work as from `dist`, which is not touched: it may be running. Node caches bytecode in it, too (`NODE_COMPILE_CACHE`).
 */
export async function buildProduct() {
  const directory = join(ROOT, `.test-build-${randomBytes(6).toString('hex')}`);
  const options = ['--strip-leading-paths', '--copy-files', '--ignore', '**/*.spec.ts', '--quiet'];
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await promisify(execFile)(join(ROOT, 'node_modules/.bin/swc'), ['src', '--out-dir', directory, ...options], {
      cwd: ROOT,
    });
    await bundle(directory);
    return { directory, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A module of that build. */
export const fromBuild = (directory, path) => import(pathToFileURL(join(directory, path)).href);
