import type { KeyRing } from '../crypto/keys.js';
import type { Database, Sql, Statement } from '../postgres/database.js';
import { canonical, type AuditRow } from './audit-record.js';

/** The columns of a record and their fields, for writes and reads. `mac` shows that we wrote it. */
const FIELDS = {
  tenant_id: 'tenantId',
  audit_id: 'auditId',
  occurred_at: 'occurredAt',
  action: 'action',
  outcome: 'outcome',
  reason: 'reason',
  actor_kind: 'actorKind',
  actor_id: 'actorId',
  user_id: 'userId',
  address: 'address',
  user_agent: 'userAgent',
  route: 'route',
  resource: 'resource',
  correlation_id: 'correlationId',
  times: 'times',
  state_before: 'before',
  state_after: 'after',
} as const satisfies Readonly<Record<string, keyof AuditRow>>;

const [, ...OTHERS] = Object.keys(FIELDS);
const COLUMNS = OTHERS.length + 2;

/** A stored record; `seq` and `hash` are set once it is sealed. */
export interface AuditView extends AuditRow {
  readonly seq: number | null;
  readonly hash: string | null;
}

/** A sealed record, as stored. */
export interface StoredAuditRecord extends AuditRow {
  readonly mac: string;
  readonly seq: number;
  readonly hash: string;
}

/** The columns of an `AuditView`. */
export const READ_COLUMNS = [
  ...Object.entries(FIELDS).map(([column, field]) => `${column} AS "${field}"`),
  'seq',
  'hash',
].join(', ');

const UNSEALED_TENANTS: Statement = {
  name: 'audit-unsealed-tenants',
  text: `SELECT DISTINCT tenant_id AS "tenantId" FROM audit_record WHERE seq IS NULL AND tenant_id > $1 ORDER BY tenant_id LIMIT $2`,
};
const UNSEALED = `SELECT ${READ_COLUMNS}, mac FROM audit_record WHERE tenant_id = $1 AND seq IS NULL ORDER BY audit_id LIMIT $2`;
const COUNT_UNSEALED: Statement = {
  name: 'audit-count-unsealed',
  text: 'SELECT count(*) AS records FROM audit_record WHERE tenant_id = $1 AND seq IS NULL',
};
const SEALED: Statement = {
  name: 'audit-sealed',
  text: `SELECT ${READ_COLUMNS}, mac FROM audit_record WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
};
const LAST_SEQ = 'SELECT max(seq) AS "lastSeq" FROM audit_record WHERE tenant_id = $1';
const SEAL = `UPDATE audit_record SET seq = sealed.seq, hash = sealed.hash
FROM unnest($2::text[], $3::bigint[], $4::text[]) AS sealed (audit_id, seq, hash)
WHERE audit_record.tenant_id = $1 AND audit_record.audit_id = sealed.audit_id`;
const TRIM = 'DELETE FROM audit_record WHERE tenant_id = $1 AND seq <= $2';

export interface AuditInsert {
  readonly text: string;
  readonly values: unknown[];
}

/** A record may be sent again when the reply to the commit was lost: it is stored once. */
export function insertionOf(rows: readonly AuditRow[], keys: KeyRing): AuditInsert {
  const places = rows.map(
    (_, i) => `(${Array.from({ length: COLUMNS }, (__, j) => `$${i * COLUMNS + j + 1}`).join()})`,
  );
  return {
    text: `
INSERT INTO audit_record (tenant_id, ${OTHERS.join()}, mac) VALUES ${places.join()} ON CONFLICT (tenant_id, audit_id) DO NOTHING`,
    values: rows.flatMap((row) => [...Object.values(FIELDS).map((field) => row[field]), macOf(keys, row)]),
  };
}

/** Shows that the product wrote the record, and that it has not been changed. */
export const macOf = (keys: KeyRing, row: AuditRow): string => keys.mac(canonical(row), 'audit');

/** The records of tenants, for sealing them into chains and removing them. */
export class AuditRecords {
  constructor(private readonly database: Database) {}

  /** Tenants with records that are not sealed, in order of ids. */
  async unsealedTenants(afterId: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ tenantId: string }>(UNSEALED_TENANTS, [afterId, limit]);
    return rows.map(({ tenantId }) => tenantId);
  }

  async countUnsealed(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ records: number }>(COUNT_UNSEALED, [tenantId]);
    return row!.records;
  }

  /** In order of ids. */
  async unsealed(sql: Sql, tenantId: string, limit: number): Promise<(AuditRow & { readonly mac: string })[]> {
    return (await sql.query<StoredAuditRecord & object>(UNSEALED, [tenantId, limit])).rows;
  }

  sealed(tenantId: string, afterSeq: number, limit: number): Promise<StoredAuditRecord[]> {
    return this.database.query<StoredAuditRecord>(SEALED, [tenantId, afterSeq, limit]);
  }

  async sealedWithin(sql: Sql, tenantId: string, afterSeq: number, limit: number): Promise<StoredAuditRecord[]> {
    return (await sql.query<StoredAuditRecord & object>(SEALED.text, [tenantId, afterSeq, limit])).rows;
  }

  /** Null: none is sealed. */
  async lastSeq(sql: Sql, tenantId: string): Promise<number | null> {
    return (await sql.query<{ lastSeq: number | null }>(LAST_SEQ, [tenantId])).rows[0]!.lastSeq;
  }

  async seal(
    sql: Sql,
    tenantId: string,
    places: readonly { readonly auditId: string; readonly seq: number; readonly hash: string }[],
  ): Promise<void> {
    const [ids, seqs, hashes] = [
      places.map(({ auditId }) => auditId),
      places.map(({ seq }) => seq),
      places.map(({ hash }) => hash),
    ];
    await sql.query(SEAL, [tenantId, ids, seqs, hashes]);
  }

  async trim(sql: Sql, tenantId: string, upToSeq: number): Promise<void> {
    await sql.query(TRIM, [tenantId, upToSeq]);
  }
}
