import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { databaseRefused } from './database-refused.js';

/**
 * A `postgres://` URL with the TLS modes of libpq: `disable`, `require` (encrypted, the server not verified), `verify-ca` (its certificate
 * is verified) and `verify-full` (its host name as well). `allow` and `prefer` are treated as `require`: they would fall back to plain text
 * silently. Source: https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export async function connectionOf(databaseUrl: string, caFile: string | undefined): Promise<pg.ClientConfig> {
  const url = new URL(databaseUrl);
  const rootCert = caFile ?? url.searchParams.get('sslrootcert') ?? undefined;
  const mode = url.searchParams.get('sslmode') ?? (rootCert === undefined ? 'disable' : 'verify-full');
  for (const name of ['sslmode', 'sslrootcert']) url.searchParams.delete(name);
  return { connectionString: url.toString(), ssl: mode === 'disable' ? false : await tlsOf(mode, rootCert) };
}

async function tlsOf(mode: string, rootCert: string | undefined): Promise<NonNullable<pg.ClientConfig['ssl']>> {
  const ca = rootCert === undefined ? undefined : await readCertificate(rootCert);
  if (mode === 'verify-full') return { rejectUnauthorized: true, ca };
  // With a given certificate authority `require` verifies as well, as libpq does.
  if (mode === 'verify-ca' || ca !== undefined)
    return { rejectUnauthorized: true, ca, checkServerIdentity: () => undefined };
  return { rejectUnauthorized: false };
}

async function readCertificate(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const detail = `The certificate of the authority (DATABASE_CA_FILE, or sslrootcert in DATABASE_URL) cannot be read: ${file} (${code}).`;
    throw databaseRefused(detail, cause);
  }
}
