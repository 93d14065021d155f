// `npm run build`: the sources to `dist`, and those that a start needs, with their packages, into the few files of `dist/bundle`.
import { spawnSync } from 'node:child_process';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';
import { installedPackages } from './installed-packages.mjs';

const begunAt = new Date();
const root = join(import.meta.dirname, '..');
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);
const packages = installedPackages(root);
await bundle(join(root, 'dist'));
const stamp = join(root, 'dist/packages.sha256');
writeFileSync(stamp, packages);
utimesSync(stamp, begunAt, begunAt); // files saved meanwhile are not in it
