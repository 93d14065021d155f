import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import {
  UserLifecycle,
  UserAccounts,
  type Account,
  type AccountChange,
  type FirstKey,
  type NewAccount,
  type PasswordReset,
  type AccountChangeRepository,
  type UserRepository,
} from '../application/accounts/ports.js';
import { NO_OBSTACLES, type AccountFacts } from '../domain/account-rules.js';
import { normalizeEmail } from '../domain/email.js';
import { userAggregate, type UserRef, type UserState } from '../domain/user.js';
import { CredentialSignatures, credentialTexts } from './credential-signatures.js';

const COLUMNS = `user_id AS "userId", kind, email, name, state, reason, password_hash AS "passwordHash", password_signature AS "passwordSignature", version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;
/** Replaces a hash that we have not signed: no password matches it, and yet the account does not count as one without a password. */
const UNSIGNED_HASH = 'unsigned';

const ANY: Statement = { name: 'user-any', text: 'SELECT 1 AS found FROM user_account LIMIT 1' };
const FIRST: Statement = {
  name: 'user-first',
  text: `SELECT ${COLUMNS} FROM user_account ORDER BY created_at, user_id LIMIT 1`,
};
const FIND: Statement = { name: 'user-find', text: `SELECT ${COLUMNS} FROM user_account WHERE user_id = $1` };
const FIND_BY_EMAIL: Statement = {
  name: 'user-find-by-email',
  text: `SELECT ${COLUMNS} FROM user_account WHERE email = $1`,
};
const LIST: Statement = {
  name: 'user-list',
  text: `SELECT ${COLUMNS} FROM user_account WHERE user_id > $1 AND ($2::text IS NULL OR email = $2) ORDER BY user_id LIMIT $3`,
};
const REHASH: Statement = {
  name: 'user-rehash',
  text: `UPDATE user_account SET password_hash = $3, password_signature = $4
WHERE user_id = $1 AND password_hash = $2 RETURNING 1 AS done`,
};
/** More than strangers can request during the lifetime of one, also with several instances that count separately. */
const RESETS_MAX = 50;
/** Locks the account against a suspension and another e-mail, which remove the tokens that they find. */
const STORE_RESET: Statement = {
  name: 'password-reset-store',
  text: `
WITH gone AS (
  DELETE FROM password_reset WHERE user_id = $1 AND (expires_at <= $3 OR digest IN (
    SELECT digest FROM password_reset WHERE user_id = $1 ORDER BY expires_at DESC OFFSET ${RESETS_MAX - 1}))
)
INSERT INTO password_reset (user_id, digest, created_at, expires_at, signature)
SELECT user_id, $2, $3, $4, $5 FROM user_account WHERE user_id = $1 AND email = $6 AND state = 'active' FOR SHARE
RETURNING 1 AS stored`,
};
const FIND_RESET: Statement = {
  name: 'password-reset-find',
  text: `SELECT user_id AS "userId", digest, created_at AS "createdAt", expires_at AS "expiresAt", signature
FROM password_reset WHERE digest = $1`,
};

const CREATE = `
INSERT INTO user_account (user_id, kind, email, name, state, password_hash, password_signature, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $8) RETURNING ${COLUMNS}`;
const CREATE_KEY =
  'INSERT INTO api_key (key_id, user_id, name, digest, expires_at, created_at, signature) VALUES ($1, $2, $3, $4, $5, $6, $7)';
/** There is also a unique key, which no change reaches that ran this query first. */
const IS_TAKEN = 'SELECT 1 FROM user_account WHERE email = $1 AND user_id <> $2';
/** A suspension keeps its reason as long as it lasts. */
const CHANGE = `
UPDATE user_account SET state = $2, version = $3, updated_at = $4, name = COALESCE($5, name), email = COALESCE($6, email),
  password_hash = COALESCE($7, password_hash), password_signature = COALESCE($9, password_signature), reason = CASE WHEN $2 = 'suspended' THEN COALESCE($8, reason) END
WHERE user_id = $1 RETURNING ${COLUMNS}`;
/** Waits for transactions that hold the row to give the user something; the deletion then finds that, and removes it. */
const HOLD = 'SELECT 1 FROM user_account WHERE user_id = $1 FOR UPDATE';
const HOLD_PROVEN = 'SELECT 1 FROM user_account WHERE user_id = $1 AND password_hash = $2 FOR UPDATE';
const REMOVE = 'DELETE FROM user_account WHERE user_id = $1';
const IS_ACTIVE: Statement = {
  name: 'user-is-active',
  text: `SELECT 1 AS active FROM user_account WHERE user_id = $1 AND state = 'active'`,
};
const END_SESSIONS = 'DELETE FROM session WHERE user_id = $1 AND session_id <> $2';
const HAS_RESET = 'SELECT 1 FROM password_reset WHERE user_id = $1 AND digest = $2';
const REMOVE_RESETS = 'DELETE FROM password_reset WHERE user_id = $1';

type AccountRow = Account & { readonly passwordSignature: string };
/** No bounds, as the columns say. */
const UNBOUNDED = {
  previousDigest: null,
  previousEndsAt: null,
  scopes: null,
  actions: null,
  allowedCidrs: null,
};

@Injectable()
export class PostgresUsers extends UserAccounts {
  readonly aggregate = userAggregate;

  constructor(
    private readonly database: Database,
    private readonly lives: UserLifecycle,
    private readonly signatures: CredentialSignatures,
  ) {
    super();
  }

  override ask(sql: Sql, ref: UserRef, { state }: Changed<UserState>): Promise<AccountFacts> {
    return this.facts(sql, ref, state, {});
  }

  async project(sql: Sql, ref: UserRef, changed: Changed<UserState>): Promise<void> {
    await this.store(sql, ref, changed, {});
  }

  changing(change: AccountChange): AccountChangeRepository {
    return storing({
      ask: (sql, ref, { state }) => this.facts(sql, ref, state, change),
      project: (sql, ref, changed) => this.store(sql, ref, changed, change),
    });
  }

  creating(account: NewAccount): AccountChangeRepository {
    return storing({
      ask: async (sql, { userId }) => ({
        ...NO_OBSTACLES,
        emailTaken: account.email !== null && (await isTaken(sql, account.email, userId)),
      }),
      project: (sql, ref, changed) => this.insert(sql, ref, changed, account),
    });
  }

  creatingFirst(account: NewAccount, key: FirstKey | undefined): UserRepository {
    const creating = this.creating(account);
    return {
      aggregate: this.aggregate,
      ask: async (sql, ref, changed) => {
        const storeHasUsers = Boolean((await sql.query(ANY.text)).rowCount);
        return { ...(await creating.ask(sql, ref, changed)), storeHasUsers };
      },
      project: async (sql, ref, changed, facts) => {
        await creating.project(sql, ref, changed, facts);
        if (!key) return;
        const { id: keyId, name, digest, expiresAt } = key;
        const text = credentialTexts.apiKey({ keyId, userId: ref.userId, digest, ...UNBOUNDED, expiresAt });
        const values = [keyId, ref.userId, name, digest, expiresAt, changed.recordedAt, this.signatures.sign(text)];
        await sql.query(CREATE_KEY, values);
      },
    };
  }

  /** Locks the account if the facts depend on changes outside of the log of users: tokens, and hashes that logins renew. */
  private async facts(
    sql: Sql,
    { userId }: UserRef,
    { status }: UserState,
    { email, verifiedHash: provenHash, resetDigest }: AccountChange,
  ): Promise<AccountFacts> {
    // Two tokens of a user that are used at once wait here for each other, instead of later for each other's row.
    if (status === 'deleted' || resetDigest !== undefined) await sql.query(HOLD, [userId]);
    const proven = provenHash === undefined || (await sql.query(HOLD_PROVEN, [userId, provenHash])).rowCount === 1;
    const reset = resetDigest === undefined || (await sql.query(HAS_RESET, [userId, resetDigest])).rowCount === 1;
    if (status === 'deleted' || status === 'suspended') await this.lives.checkLeaving(sql, userId, status);
    return {
      ...NO_OBSTACLES,
      passwordReplaced: !proven,
      resetTokenGone: !reset,
      emailTaken: email !== undefined && (await isTaken(sql, email, userId)),
    };
  }

  private async insert(
    sql: Sql,
    { userId }: UserRef,
    { version, recordedAt }: Changed<UserState>,
    { kind, email, name, passwordHash }: NewAccount,
  ): Promise<Account | undefined> {
    const signature = this.signatureOf(userId, passwordHash) ?? '';
    const values = [userId, kind, email, name, passwordHash, signature, version, recordedAt];
    return this.toAccounts((await sql.query<AccountRow>(CREATE, values)).rows)[0];
  }

  /** The account comes first: a concurrent login locks it, and its session is then visible to the statement that removes the sessions. */
  private async store(
    sql: Sql,
    { userId }: UserRef,
    { state, version, recordedAt }: Changed<UserState>,
    { name, email, passwordHash, reason, keptSessionId }: AccountChange,
  ): Promise<Account | undefined> {
    if (state.status === 'deleted') await this.lives.deleted(sql, userId);
    const given = [name, email, passwordHash, reason, this.signatureOf(userId, passwordHash)];
    const { rows } =
      state.status === 'deleted'
        ? await sql.query<AccountRow>(REMOVE, [userId])
        : await sql.query<AccountRow>(CHANGE, [userId, state.status, version, recordedAt, ...given]);
    const endsSessions = state.status !== 'active' || passwordHash !== undefined;
    if (endsSessions) await sql.query(END_SESSIONS, [userId, keptSessionId ?? '']);
    if (endsSessions || email !== undefined) await sql.query(REMOVE_RESETS, [userId]);
    return this.toAccounts(rows)[0];
  }

  async any(): Promise<boolean> {
    return (await this.database.query(ANY)).length > 0;
  }

  async first(): Promise<Account | undefined> {
    return (await this.accounts(FIRST, []))[0];
  }

  async find(userId: string): Promise<Account | undefined> {
    return (await this.accounts(FIND, [userId]))[0];
  }

  async findByEmail(email: string): Promise<Account | undefined> {
    return (await this.accounts(FIND_BY_EMAIL, [normalizeEmail(email)]))[0];
  }

  async isActive(userId: string): Promise<boolean> {
    return (await this.database.query(IS_ACTIVE, [userId])).length > 0;
  }

  list({ email }: { readonly email?: string }, afterId: string, limit: number): Promise<Account[]> {
    return this.accounts(LIST, [afterId, email === undefined ? null : normalizeEmail(email), limit]);
  }

  async rehash(userId: string, from: string, to: string): Promise<boolean> {
    return (await this.database.query(REHASH, [userId, from, to, this.signatureOf(userId, to)])).length > 0;
  }

  async storeReset(reset: PasswordReset, email: string): Promise<boolean> {
    const { userId, digest, createdAt, expiresAt } = reset;
    const signature = this.signatures.sign(credentialTexts.reset(reset));
    const values = [userId, digest, createdAt, expiresAt, signature, email];
    return (await this.database.query(STORE_RESET, values)).length > 0;
  }

  async findReset(digest: string): Promise<PasswordReset | undefined> {
    const [row] = await this.database.query<PasswordReset & { readonly signature: string }>(FIND_RESET, [digest]);
    return row && this.signatures.fits(credentialTexts.reset(row), row.signature) ? row : undefined;
  }

  private async accounts(statement: Statement, values: unknown[]): Promise<Account[]> {
    return this.toAccounts(await this.database.query<AccountRow>(statement, values));
  }

  private toAccounts(rows: readonly AccountRow[]): Account[] {
    return rows.map(({ passwordSignature, ...account }) => {
      const { userId, passwordHash } = account;
      if (passwordHash === null) return account;
      const signed = this.signatures.fits(credentialTexts.password({ userId, passwordHash }), passwordSignature);
      return signed ? account : { ...account, passwordHash: UNSIGNED_HASH };
    });
  }

  private signatureOf(userId: string, passwordHash: string | null | undefined): string | undefined {
    return passwordHash ? this.signatures.sign(credentialTexts.password({ userId, passwordHash })) : undefined;
  }
}

/** A repository that returns what its projection has stored. */
function storing({
  ask,
  project,
}: {
  readonly ask: UserRepository['ask'];
  readonly project: (sql: Sql, ref: UserRef, changed: Changed<UserState>) => Promise<Account | undefined>;
}): AccountChangeRepository {
  const repository = {
    aggregate: userAggregate,
    stored: undefined as Account | undefined,
    ask,
    project: async (sql: Sql, ref: UserRef, changed: Changed<UserState>): Promise<void> => {
      repository.stored = await project(sql, ref, changed);
    },
  };
  return repository;
}

const isTaken = async (sql: Sql, email: string, userId: string): Promise<boolean> =>
  Boolean((await sql.query(IS_TAKEN, [email, userId])).rowCount);
