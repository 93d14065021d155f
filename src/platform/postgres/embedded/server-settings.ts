/**
 * For an insert-heavy store on a small machine. Durable: an acknowledged event is on disk. 256 MB of shared buffers hold the hot ends of
 * the indexes; a WAL of up to 4 GB spreads checkpoints, since each one makes all pages be written in full once more.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '60',
  synchronous_commit: 'on',
  fsync: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  wal_buffers: '16MB',
  max_wal_size: '4GB',
  min_wal_size: '512MB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  // Compiling plans costs more than our short statements take.
  jit: 'off',
  huge_pages: 'off',
  // The log is never updated: vacuum comes for the visibility map only, and not at every fifth of a table's growth.
  autovacuum_vacuum_insert_scale_factor: '0.5',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] ',
  shared_preload_libraries: 'pg_stat_statements',
  restart_after_crash: 'on',
};

export const serverArguments = (clusterDir: string, socketDir: string): string[] => [
  '-D',
  clusterDir,
  '-c',
  `unix_socket_directories=${socketDir}`,
  ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];
