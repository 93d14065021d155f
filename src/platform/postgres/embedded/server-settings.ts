import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from './layout.js';
import { PORT } from './socket-directory.js';

/**
 * For an insert-heavy store on a machine with two cores and little memory. Durable: an acknowledged event is on disk. They are passed on
 * the command line, so each start uses those of its release and `postgresql.conf` stays as initdb made it.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // No network: clients must be able to enter the socket directory.
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  // The default of PostgreSQL. The pools take about 20; the rest is for larger ones, administrators, and several test files at once.
  max_connections: '100',

  synchronous_commit: 'on',
  fsync: 'on',
  full_page_writes: 'on',
  // A WAL of up to 4 GB spreads checkpoints, since after each of them every page is written in full once.
  wal_buffers: '16MB',
  max_wal_size: '4GB',
  min_wal_size: '512MB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  // These builds have pglz only, no lz4; full pages are rare with the checkpoints above, and the cores are needed elsewhere.
  wal_compression: 'off',

  // Holds the hot ends of the indexes; the page cache of the system does the rest.
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  huge_pages: 'off',
  // Compiling a plan or starting workers costs more than our short statements; workers also need a large /dev/shm.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  random_page_cost: '1.1',

  // Little and often: at the default a log of 100 million events waits for 20 million more and is then vacuumed at one go, and the few
  // rows that are updated all the time (heads, checkpoints) bloat for a minute.
  autovacuum: 'on',
  autovacuum_naptime: '15s',
  autovacuum_vacuum_insert_scale_factor: '0.05',

  // The values of tenants stay out of the log: no details, no statements.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
  log_timezone: 'UTC',
  timezone: 'UTC',
  cluster_name: 'event-store',
  // A crash of one backend does not end the server.
  restart_after_crash: 'on',
};

export function serverArguments({ clusterDir, socketDir, binaries }: Layout): string[] {
  const settings = { ...SETTINGS, unix_socket_directories: `"${socketDir}"` };
  const libraries = join(binaries.directory, 'lib/postgresql');
  // Counts statements and their cost, which bench/ reads; not every build includes it.
  const statistics = ['so', 'dylib'].some((suffix) => existsSync(join(libraries, `pg_stat_statements.${suffix}`)));
  if (statistics) Object.assign(settings, { shared_preload_libraries: 'pg_stat_statements' });
  return ['-D', clusterDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
