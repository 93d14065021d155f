#!/usr/bin/env node
// `npm start`: builds if sources or packages differ from those of the build, then runs the server on the pinned Node.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { installedPackages } from './installed-packages.mjs';

const root = join(import.meta.dirname, '..');
const entry = join(root, 'dist/bundle/main.js');
/** The last file that a build writes. */
const stamp = join(root, 'dist/packages.sha256');

function newest(directory) {
  return Math.max(
    ...readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => statSync(join(file.parentPath, file.name)).mtimeMs),
  );
}

function isCurrent() {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== installedPackages(root)) return false;
  const changed = Math.max(newest(join(root, 'src')), newest(join(root, 'scripts')));
  return changed <= statSync(stamp).mtimeMs;
}

if (!isCurrent()) {
  process.stdout.write('Building …\n');
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// Room for young objects, twice in the main thread and in each delivery thread. With 64 MiB a publish in a flood costs 4 % less CPU, one at
// 1,000 events/s 9 % more, and the process holds 430 MiB instead of 280.
const server = spawn(process.execPath, ['--max-semi-space-size=16', '--enable-source-maps', entry], {
  stdio: 'inherit',
  // The bytecode, for the next start. It is deleted with the build it belongs to (`deleteOutDir` in nest-cli.json).
  env: { NODE_COMPILE_CACHE: join(root, 'dist/.compile-cache'), ...process.env },
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => {
  if (signal)
    process.stderr.write(
      `The server was ended by ${signal}. Whatever it has acknowledged is there at the next start.\n`,
    );
  process.exit(code ?? 1);
});
