import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../kernel/access.js';
import type { Sql, Statement } from '../../../platform/postgres/database.js';
import { CredentialValidity } from '../application/authentication/ports.js';

/** A key that was rotated meanwhile remains valid as long as its previous secret. */
const HOLDS: Statement = {
  name: 'credential-holds',
  text: `
SELECT 1 FROM user_account u WHERE u.user_id = $1 AND u.state = 'active'
  AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM session s WHERE s.session_id = $2 AND s.user_id = $1 AND s.expires_at > $4))
  AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM api_key k WHERE k.key_id = $3 AND k.user_id = $1
    AND (k.expires_at IS NULL OR k.expires_at > $4) AND (k.version = $5 OR k.previous_ends_at > $4)))`,
};

@Injectable()
export class PostgresCredentialValidity extends CredentialValidity {
  async isValid(sql: Sql, { id, kind, userId, sessionId, keyVersion }: Principal, now: number): Promise<boolean> {
    const keyId = kind === 'api-key' ? id : null;
    const values = [userId, sessionId ?? null, keyId, now, keyVersion ?? null];
    return Boolean((await sql.query({ ...HOLDS, values })).rowCount);
  }
}
