import { Injectable } from '@nestjs/common';
import type { KeyScope } from '../../../kernel/access.js';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import {
  ApiKeyStore,
  type ApiKeyView,
  type KeyMaterial,
  type ApiKeyCursor,
  type KeyUse,
  type StoredKey,
  type ApiKeySecretRepository,
} from '../application/api-keys/ports.js';
import type { OwnerFacts } from '../domain/api-key-rules.js';
import { apiKeyAggregate, type ApiKeyRef, type ApiKeyState } from '../domain/api-key.js';
import { CredentialSignatures, credentialTexts, type SignedKey } from './credential-signatures.js';

const LIMITS = 'scopes, actions, allowed_cidrs, expires_at, previous_ends_at';
const COLUMNS = `key_id, user_id, name, ${LIMITS}, created_at, rotated_at, version, use_count, last_used_at, last_used_from`;

const FIND: Statement = {
  name: 'api-key-find',
  text: `
SELECT ${COLUMNS} FROM api_key k WHERE key_id = $1 AND user_id = $2
  AND EXISTS (SELECT 1 FROM user_account u WHERE u.user_id = k.user_id)`,
};
const LIST: Statement = {
  name: 'api-key-list',
  text: `SELECT ${COLUMNS} FROM api_key WHERE user_id = $1 AND (created_at, key_id) > ($2, $3) ORDER BY created_at, key_id LIMIT $4`,
};
const FOR_AUTHENTICATION: Statement = {
  name: 'api-key-for-authentication',
  text: `
SELECT k.key_id, k.user_id, k.version, k.digest, k.previous_digest, k.signature, ${LIMITS} FROM api_key k
JOIN user_account u ON u.user_id = k.user_id AND u.state = 'active' WHERE k.key_id = ANY ($1)`,
};
const ADD_USE: Statement = {
  name: 'api-key-add-use',
  text: `
UPDATE api_key SET use_count = use_count + u.count, last_used_at = greatest(last_used_at, u.at),
  last_used_from = CASE WHEN u.at >= coalesce(last_used_at, 0) THEN u.address ELSE last_used_from END
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u (id, count, at, address)
WHERE api_key.key_id = u.id`,
};
/** The deletion of the owner waits for this transaction, and finds the key that it creates; or it came first, and there is no key. */
const HOLD_OWNER = 'SELECT 1 FROM user_account WHERE user_id = $1 FOR KEY SHARE';
const COUNT = 'SELECT count(*) AS count FROM api_key WHERE user_id = $1';
/** Changes of one key are serial, because each holds the head of the log of keys. */
const PRESENT = `SELECT key_id, user_id, digest, previous_digest, signature, ${LIMITS} FROM api_key WHERE key_id = $1`;
/** Of a key that exists: the secret moves to the second place and makes room for the new one. */
const STORE = `
INSERT INTO api_key (key_id, user_id, name, digest, created_at, scopes, actions, allowed_cidrs, expires_at, version, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $14)
ON CONFLICT (key_id) DO UPDATE SET previous_digest = $13, digest = $4, scopes = $6, actions = $7, allowed_cidrs = $8, expires_at = $9,
  version = $10, previous_ends_at = $11, rotated_at = $12, signature = $14 RETURNING ${COLUMNS}`;
const REMOVE = 'DELETE FROM api_key WHERE key_id = $1';

interface LimitsRow {
  readonly key_id: string;
  readonly user_id: string;
  readonly scopes: string | null;
  readonly actions: string | null;
  readonly allowed_cidrs: string | null;
  readonly expires_at: number | null;
  readonly previous_ends_at: number | null;
}

interface KeyRow extends LimitsRow {
  readonly name: string;
  readonly created_at: number;
  readonly rotated_at: number | null;
  readonly version: number;
  readonly use_count: number;
  readonly last_used_at: number | null;
  readonly last_used_from: string | null;
}

interface StoredRow extends LimitsRow {
  readonly digest: string;
  readonly previous_digest: string | null;
  readonly signature: string;
}

@Injectable()
export class PostgresApiKeys extends ApiKeyStore {
  readonly aggregate = apiKeyAggregate;

  constructor(
    private readonly database: Database,
    private readonly signatures: CredentialSignatures,
  ) {
    super();
  }

  /** The only change of a key without a new secret is its revocation; afterwards no secret is left to compare with. */
  async project(sql: Sql, { keyId }: ApiKeyRef, { state }: Changed<ApiKeyState>): Promise<void> {
    if (state.status !== 'revoked') throw new Error('A key is stored with its secret.');
    await sql.query(REMOVE, [keyId]);
  }

  override async ask(sql: Sql, { userId }: ApiKeyRef, { state, version }: Changed<ApiKeyState>): Promise<OwnerFacts> {
    if (state.status !== 'issued') return { ownerExists: true, keys: 0 };
    const ownerExists = Boolean((await sql.query(HOLD_OWNER, [userId])).rowCount);
    const [row] = version > 1 ? [] : (await sql.query<{ count: number }>(COUNT, [userId])).rows;
    return { ownerExists, keys: row?.count ?? 0 };
  }

  storing(material: KeyMaterial): ApiKeySecretRepository {
    const repository = {
      aggregate: this.aggregate,
      stored: undefined as ApiKeyView | undefined,
      ask: (sql: Sql, ref: ApiKeyRef, changed: Changed<ApiKeyState>) => this.ask(sql, ref, changed),
      project: async (sql: Sql, ref: ApiKeyRef, changed: Changed<ApiKeyState>): Promise<void> => {
        repository.stored = await this.store(sql, ref, changed, material);
      },
    };
    return repository;
  }

  private async store(
    sql: Sql,
    { userId, keyId }: ApiKeyRef,
    { state, version }: Changed<ApiKeyState>,
    { name, digest, allowedCidrs }: KeyMaterial,
  ): Promise<ApiKeyView> {
    if (state.status !== 'issued') throw new Error('Only a key that is issued has a secret.');
    const { createdAt, scopes, actions, expiresAt, previousEndsAt, rotatedAt } = state;
    const previousDigest = await this.presentDigest(sql, keyId);
    const texts = { scopes: json(scopes), actions: json(actions), allowedCidrs: json(allowedCidrs) };
    const key = { keyId, userId, digest, previousDigest, previousEndsAt, ...texts, expiresAt };
    const limits = [texts.scopes, texts.actions, texts.allowedCidrs, expiresAt];
    const values = [keyId, userId, name, digest, createdAt, ...limits, version, previousEndsAt, rotatedAt];
    values.push(previousDigest, this.signatures.sign(credentialTexts.apiKey(key)));
    return toView((await sql.query<KeyRow>(STORE, values)).rows[0]!);
  }

  /** Also null if we have not signed it: a planted secret must not get a signature here. */
  private async presentDigest(sql: Sql, keyId: string): Promise<string | null> {
    const [row] = (await sql.query<StoredRow>(PRESENT, [keyId])).rows;
    return row && this.isSigned(row) ? row.digest : null;
  }

  private isSigned(row: StoredRow): boolean {
    return this.signatures.fits(credentialTexts.apiKey(toSignedKey(row)), row.signature);
  }

  async find({ userId, keyId }: ApiKeyRef): Promise<ApiKeyView | undefined> {
    const [row] = await this.database.query<KeyRow>(FIND, [keyId, userId]);
    return row && toView(row);
  }

  async list(userId: string, { createdAt, keyId }: ApiKeyCursor, limit: number): Promise<ApiKeyView[]> {
    return (await this.database.query<KeyRow>(LIST, [userId, createdAt, keyId, limit])).map(toView);
  }

  async forAuthentication(keyIds: readonly string[]): Promise<StoredKey[]> {
    const rows = await this.database.query<StoredRow & Pick<StoredKey, 'version'>>(FOR_AUTHENTICATION, [keyIds]);
    return rows
      .filter((row) => this.isSigned(row))
      .map((row) => ({
        ...limitsOf(row),
        version: row.version,
        digest: row.digest,
        previousDigest: row.previous_digest,
      }));
  }

  async addUse(uses: readonly KeyUse[]): Promise<void> {
    await this.database.query(ADD_USE, [
      uses.map(({ keyId }) => keyId),
      uses.map(({ count }) => count),
      uses.map(({ lastAt }) => lastAt),
      uses.map(({ address }) => address),
    ]);
  }
}

const json = (list: readonly unknown[] | null): string | null => list && JSON.stringify(list);
const parsed = <T>(text: string | null): T | null => (text === null ? null : (JSON.parse(text) as T));

const toSignedKey = (row: StoredRow): SignedKey => ({
  keyId: row.key_id,
  userId: row.user_id,
  digest: row.digest,
  previousDigest: row.previous_digest,
  previousEndsAt: row.previous_ends_at,
  scopes: row.scopes,
  actions: row.actions,
  allowedCidrs: row.allowed_cidrs,
  expiresAt: row.expires_at,
});

const limitsOf = (row: LimitsRow) => ({
  keyId: row.key_id,
  userId: row.user_id,
  scopes: parsed<KeyScope[]>(row.scopes),
  actions: parsed<string[]>(row.actions),
  allowedCidrs: parsed<string[]>(row.allowed_cidrs),
  expiresAt: row.expires_at,
  previousEndsAt: row.previous_ends_at,
});

const toView = (row: KeyRow): ApiKeyView => ({
  ...limitsOf(row),
  name: row.name,
  createdAt: row.created_at,
  rotatedAt: row.rotated_at,
  useCount: row.use_count,
  lastUsedAt: row.last_used_at,
  lastUsedFrom: row.last_used_from,
  version: row.version,
});
