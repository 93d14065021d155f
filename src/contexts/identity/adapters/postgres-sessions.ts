import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { SessionStore, type SessionUse } from '../application/sessions/ports.js';
import { sessionAggregate, type Session, type SessionRef } from '../domain/session.js';
import { CredentialSignatures, credentialTexts } from './credential-signatures.js';

const COLUMNS = `session_id AS "sessionId", user_id AS "userId", seed, rotation, rotated_at AS "rotatedAt",
  created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt", idle_expires_at AS "idleExpiresAt",
  address, user_agent AS "userAgent"`;

/** Locks the account against a suspension, a deletion and a new password, each of which ends the sessions that it finds. */
const CREATE: Statement = {
  name: 'session-create',
  text: `
INSERT INTO session (session_id, user_id, seed, rotation, created_at, last_used_at, expires_at, idle_expires_at, address, user_agent, signature)
SELECT $1, user_id, $3, 0, $4, $4, $5, $6, $7, $8, $10 FROM user_account
WHERE user_id = $2 AND state = 'active' AND password_hash = $9 FOR SHARE
RETURNING 1 AS created`,
};
const FIND: Statement = {
  name: 'session-find',
  text: `SELECT ${COLUMNS}, signature FROM session WHERE session_id = $1`,
};
const OF_USER: Statement = {
  name: 'session-of-user',
  text: `SELECT ${COLUMNS} FROM session WHERE user_id = $1 ORDER BY created_at, session_id`,
};
const ROTATE: Statement = {
  name: 'session-rotate',
  text: `
UPDATE session SET rotation = rotation + 1, rotated_at = $3, last_used_at = $3, idle_expires_at = $4, address = $5, user_agent = $6
WHERE session_id = $1 AND rotation = $2 AND expires_at > $3 AND idle_expires_at > $3 RETURNING 1 AS rotated`,
};
const CONFIRM: Statement = {
  name: 'session-confirm',
  text: 'UPDATE session SET rotated_at = NULL WHERE session_id = $1 AND rotation = $2',
};
const TOUCH: Statement = {
  name: 'session-touch',
  text: 'UPDATE session SET last_used_at = $2 WHERE session_id = $1 AND last_used_at < $2',
};
const REMOVE_EXPIRED: Statement = {
  name: 'session-remove-expired',
  text: 'DELETE FROM session WHERE user_id = $1 AND (expires_at <= $2 OR idle_expires_at <= $2)',
};
const END = 'DELETE FROM session WHERE session_id = $1';

@Injectable()
export class PostgresSessions extends SessionStore {
  readonly aggregate = sessionAggregate;

  constructor(
    private readonly database: Database,
    private readonly signatures: CredentialSignatures,
  ) {
    super();
  }

  async project(sql: Sql, { sessionId }: SessionRef): Promise<void> {
    await sql.query(END, [sessionId]);
  }

  async create(session: Session, passwordHash: string): Promise<boolean> {
    const { sessionId, userId, seed, createdAt, expiresAt, idleExpiresAt, address, userAgent } = session;
    const values = [sessionId, userId, seed, createdAt, expiresAt, idleExpiresAt, address, userAgent, passwordHash];
    values.push(this.signatures.sign(credentialTexts.session(session)));
    return (await this.database.query(CREATE, values)).length > 0;
  }

  /** Authentication relies on what this returns; the lists show all rows, so that a planted one can be seen, too. */
  async find(sessionId: string): Promise<Session | undefined> {
    const [row] = await this.database.query<Session & { readonly signature: string }>(FIND, [sessionId]);
    return row && this.signatures.fits(credentialTexts.session(row), row.signature) ? row : undefined;
  }

  ofUser(userId: string): Promise<Session[]> {
    return this.database.query<Session>(OF_USER, [userId]);
  }

  async rotate(
    sessionId: string,
    rotation: number,
    { now, idleExpiresAt, address, userAgent }: SessionUse,
  ): Promise<boolean> {
    const values = [sessionId, rotation, now, idleExpiresAt, address, userAgent];
    return (await this.database.query(ROTATE, values)).length > 0;
  }

  async confirm(sessionId: string, rotation: number): Promise<void> {
    await this.database.query(CONFIRM, [sessionId, rotation]);
  }

  async touch(sessionId: string, now: number): Promise<void> {
    await this.database.query(TOUCH, [sessionId, now]);
  }

  async removeExpired(userId: string, now: number): Promise<void> {
    await this.database.query(REMOVE_EXPIRED, [userId, now]);
  }
}
