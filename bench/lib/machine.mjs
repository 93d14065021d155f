import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { EventStore } from './event-store.mjs';

const SETTINGS = ['shared_buffers', 'synchronous_commit', 'fsync', 'full_page_writes', 'wal_buffers', 'max_wal_size'];

function git(...args) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** The machine of the figures: without it they mean little. */
export async function describeMachine() {
  const store = await EventStore.start();
  const client = await store.connect();
  const { rows } = await client.query('SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name', [
    SETTINGS,
  ]);
  const { rows: versions } = await client.query('SHOW server_version');
  await client.end();
  await store.stop();
  return {
    at: new Date().toISOString(),
    // A build from elsewhere may not be of this commit.
    commit: process.env.BENCH_BUILD ? 'another-build' : git('rev-parse', '--short', 'HEAD') || 'unknown',
    changed: git('status', '--porcelain', '--', 'src', 'scripts', 'config', 'package-lock.json') !== '',
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    loadBefore: loadavg()[0],
    node: process.version,
    postgres: versions[0].server_version,
    settings: Object.fromEntries(rows.map(({ name, value }) => [name, value])),
  };
}
