import { credentialTexts } from '../../../src/contexts/identity/adapters/credential-signatures.js';
import { KeyRing } from '../../../src/platform/crypto/keys.js';
import type { Database } from '../../../src/platform/postgres/database.js';
import { SECRET_KEY } from '../server/app.js';

/** The signing key of the test servers: for rows that a test writes in their place. */
export const SERVER_KEYS = new KeyRing(Buffer.from(SECRET_KEY));

export const signCredential = (text: string): string => SERVER_KEYS.sign(text, 'credentials');

/** Makes the tokens for a new password of a user older than they are. */
export async function ageResets(database: Database, userId: string, byMs: number): Promise<void> {
  const read = {
    name: 'test-resets',
    text: 'SELECT digest, expires_at AS "expiresAt" FROM password_reset WHERE user_id = $1',
  };
  const write = {
    name: 'test-age-reset',
    text: 'UPDATE password_reset SET expires_at = $3, signature = $4 WHERE user_id = $1 AND digest = $2',
  };
  for (const row of await database.query<{ digest: string; expiresAt: number }>(read, [userId])) {
    const { digest } = row;
    const expiresAt = row.expiresAt - byMs;
    const signature = signCredential(credentialTexts.reset({ userId, digest, expiresAt }));
    await database.query(write, [userId, digest, expiresAt, signature]);
  }
}
