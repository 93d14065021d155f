import { newApiKey } from '../../src/contexts/identity/domain/api-key.js';
import { newId } from '../../src/kernel/ids.js';
import { digest } from '../../src/platform/crypto/keys.js';
import type { TestApp } from './app.js';
import type { Client } from './client.js';
import { connect } from './postgres.js';

export interface Person {
  readonly userId: string;
  readonly keyId: string;
  /** With a key of the person, which is not limited. */
  readonly client: Client;
}

/** A user without any permission, and a key of his: put into the store by hand, since tests of permissions are not about accounts. */
export async function newPerson(app: Pick<TestApp, 'connection' | 'client'>): Promise<Person> {
  const userId = newId('usr');
  const { id: keyId, secret, key } = newApiKey('test');
  const sql = await connect(app.connection);
  await sql.query(
    'INSERT INTO user_account (user_id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)',
    [userId, `${userId}@example.test`, 'Person', '-', Date.now()],
  );
  await sql.query('INSERT INTO api_key (key_id, user_id, name, digest, created_at) VALUES ($1, $2, $3, $4, $5)', [
    keyId,
    userId,
    'key',
    digest(secret),
    Date.now(),
  ]);
  await sql.end();
  return { userId, keyId, client: app.client.with({ 'x-api-key': key }) };
}
