import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { messageOf } from '../../kernel/domain-error.js';
import { unavailable, type Database } from './database.js';
import { databaseRefused } from './database-refused.js';
import { isTransient, isUnreachable } from './sql-state.js';

const PATIENCE_MS = 60_000;
const VERSION_MIN = 15;

const CERTIFICATE = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** A database that starts together with us may need time; a refusal is final. */
export async function firstConnection(
  database: Pick<Database, 'dedicatedClient'>,
  log: Pick<Logger, 'warn'>,
  { signal, patienceMs = PATIENCE_MS }: { readonly signal?: AbortSignal; readonly patienceMs?: number } = {},
): Promise<pg.Client> {
  const deadline = performance.now() + patienceMs;
  for (let delay = 250; ; delay = Math.min(delay * 2, 5_000)) {
    try {
      return await supported(await database.dedicatedClient('event-store migrations'));
    } catch (error) {
      if (!isUnreachable(error) && !isTransient(error)) throw explainRefusal(error);
      const reason = messageOf(error);
      if (performance.now() > deadline)
        throw unavailable(
          error,
          `PostgreSQL cannot be reached (${reason}). Check that it runs where DATABASE_URL says.`,
        );
      log.warn({ retryMs: delay, reason }, 'the database cannot be reached yet');
      await pause(delay, undefined, { signal });
    }
  }
}

async function supported(client: pg.Client): Promise<pg.Client> {
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const version = rows[0]!.server_version;
    if (Number.parseInt(version, 10) >= VERSION_MIN) return client;
    throw databaseRefused(`PostgreSQL ${version} is too old: this release needs ${VERSION_MIN} or newer.`);
  } catch (error) {
    await client.end();
    throw error;
  }
}

/**
 * Adds what to set where a setting or a grant would help; other errors are returned unchanged. SQLSTATE 28: authorization, 3D000: no such
 * database, 3F000: no schema.
 */
export function explainRefusal(error: unknown): unknown {
  const { code = '' } = error as { readonly code?: string };
  const reason = messageOf(error);
  const withAdvice = (advice: string): Error => databaseRefused(`PostgreSQL refuses us: ${reason}. ${advice}`, error);
  if (code.startsWith('28') || code === '3D000')
    return withAdvice('Correct DATABASE_URL, or make the role and its database.');
  if (code === '42501' || code === '3F000')
    return withAdvice('The role that DATABASE_URL names must own the database.');
  if (reason.includes('does not support SSL'))
    return withAdvice('Switch TLS on there, or change sslmode in DATABASE_URL.');
  if (CERTIFICATE.test(code))
    return databaseRefused(
      `The certificate of PostgreSQL does not hold: ${reason}. Name its authority by DATABASE_CA_FILE and its host as the certificate does, or change sslmode in DATABASE_URL.`,
      error,
    );
  return error;
}
