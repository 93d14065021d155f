import { Injectable } from '@nestjs/common';
import { Database, type Statement } from '../../../platform/postgres/database.js';
import { Credentials, type Account, type NewSession, type Rotation, type Session } from '../application/ports.js';

const ACCOUNT_COLUMNS = `user_id AS "userId", email, name, password_hash AS "passwordHash"`;

const FIND_BY_EMAIL: Statement = {
  name: 'account-by-email',
  text: `SELECT ${ACCOUNT_COLUMNS} FROM user_account WHERE email = $1`,
};
const FIND_USER: Statement = {
  name: 'account-by-id',
  text: `SELECT ${ACCOUNT_COLUMNS} FROM user_account WHERE user_id = $1`,
};
const FIRST_USER: Statement = {
  name: 'account-first',
  text: 'SELECT user_id AS "userId" FROM user_account ORDER BY created_at, user_id LIMIT 1',
};
const LOCK_ACCOUNTS = 'LOCK TABLE user_account IN EXCLUSIVE MODE';
const ANY_ACCOUNT: Statement = { name: 'account-any', text: 'SELECT 1 AS found FROM user_account LIMIT 1' };
const CREATE_ACCOUNT =
  'INSERT INTO user_account (user_id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)';
const CREATE_KEY = 'INSERT INTO api_key (key_id, user_id, name, digest, created_at) VALUES ($1, $2, $3, $4, $5)';
const CREATE_SESSION: Statement = {
  name: 'session-create',
  text: 'INSERT INTO session (session_id, user_id, refresh_digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)',
};
const REMOVE_EXPIRED: Statement = {
  name: 'session-remove-expired',
  text: 'DELETE FROM session WHERE user_id = $1 AND expires_at < $2',
};
const FIND_SESSION: Statement = {
  name: 'session-find',
  text: 'SELECT user_id AS "userId", expires_at AS "expiresAt" FROM session WHERE session_id = $1',
};
const ROTATE: Statement = {
  name: 'session-rotate',
  text: `UPDATE session SET refresh_digest = $3, previous_digest = $2
WHERE session_id = $1 AND refresh_digest = $2 AND expires_at > $4 RETURNING 1 AS rotated`,
};
const END_REUSED: Statement = {
  name: 'session-end-reused',
  text: 'DELETE FROM session WHERE session_id = $1 AND previous_digest = $2 RETURNING 1 AS ended',
};
const END: Statement = { name: 'session-end', text: 'DELETE FROM session WHERE session_id = $1' };

@Injectable()
export class PostgresCredentials extends Credentials {
  constructor(private readonly database: Database) {
    super();
  }

  async anyAccount(): Promise<boolean> {
    return (await this.database.query(ANY_ACCOUNT)).length > 0;
  }

  async firstUserId(): Promise<string | undefined> {
    return (await this.database.query<{ userId: string }>(FIRST_USER))[0]?.userId;
  }

  async findByEmail(email: string): Promise<Account | undefined> {
    return (await this.database.query<Account>(FIND_BY_EMAIL, [email]))[0];
  }

  async findUser(userId: string): Promise<Account | undefined> {
    return (await this.database.query<Account>(FIND_USER, [userId]))[0];
  }

  createFirst(account: Account, key: { id: string; digest: string; name: string }, now: number): Promise<boolean> {
    return this.database.transaction(async (sql) => {
      await sql.query(LOCK_ACCOUNTS);
      const { rowCount } = await sql.query(ANY_ACCOUNT.text);
      if (rowCount) return false;
      await sql.query(CREATE_ACCOUNT, [account.userId, account.email, account.name, account.passwordHash, now]);
      await sql.query(CREATE_KEY, [key.id, account.userId, key.name, key.digest, now]);
      return true;
    });
  }

  async createSession({ sessionId, userId, refreshDigest, createdAt, expiresAt }: NewSession): Promise<void> {
    await this.database.query(REMOVE_EXPIRED, [userId, createdAt]);
    await this.database.query(CREATE_SESSION, [sessionId, userId, refreshDigest, createdAt, expiresAt]);
  }

  async findSession(sessionId: string): Promise<Session | undefined> {
    return (await this.database.query<Session>(FIND_SESSION, [sessionId]))[0];
  }

  async rotate(sessionId: string, oldDigest: string, newDigest: string, now: number): Promise<Rotation> {
    const rotated = await this.database.query(ROTATE, [sessionId, oldDigest, newDigest, now]);
    if (rotated.length > 0) return 'rotated';
    const ended = await this.database.query(END_REUSED, [sessionId, oldDigest]);
    return ended.length > 0 ? 'reused' : 'unknown';
  }

  async endSession(sessionId: string): Promise<void> {
    await this.database.query(END, [sessionId]);
  }
}
