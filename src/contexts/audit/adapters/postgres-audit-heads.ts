import { Injectable } from '@nestjs/common';
import { KeyRing } from '../../../platform/crypto/keys.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { AuditHeads, type HeadChange } from '../application/ports.js';
import { replaceWeight, weightOf, type TenantHead } from '../domain/heads.js';

const PAGE = 1_000;

const HEAD = `SELECT tenant_id AS "tenantId", chain_signature AS chain, retention_signature AS retention
FROM audit_head WHERE tenant_id = $1 AND key_id = $2`;
const SAVE = `
INSERT INTO audit_head (tenant_id, key_id, chain_signature, retention_signature) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, key_id) DO UPDATE SET chain_signature = $3, retention_signature = $4`;
const HEADS: Statement = {
  name: 'audit-heads-of-all',
  text: `SELECT tenant_id AS "tenantId", chain_signature AS chain, retention_signature AS retention
FROM audit_head WHERE key_id = $1 AND tenant_id > $2 ORDER BY tenant_id LIMIT $3`,
};
const TOTAL = 'SELECT total FROM audit_heads_total WHERE key_id = $1';
const LOCK_TOTAL = 'SELECT total FROM audit_heads_total WHERE key_id = $1 FOR UPDATE';
const BEGIN_TOTAL = 'INSERT INTO audit_heads_total (key_id, total) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING';
const SAVE_TOTAL = 'UPDATE audit_heads_total SET total = $2 WHERE key_id = $1';
const TRACES: Statement = {
  name: 'audit-heads-traces',
  text: `
SELECT EXISTS (SELECT 1 FROM audit_head WHERE key_id = $1)
  OR EXISTS (SELECT 1 FROM audit_chain WHERE starts_with(signature, $1 || '.')) AS any`,
};
const SNAPSHOT = 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY';

const none = (tenantId: string): TenantHead => ({ tenantId, chain: '', retention: '' });

@Injectable()
export class PostgresAuditHeads extends AuditHeads {
  constructor(
    private readonly database: Database,
    private readonly keys: KeyRing,
  ) {
    super();
  }

  async initialize(): Promise<void> {
    await this.database.transaction(async (sql) => {
      const [traces] = (await sql.query<{ any: boolean }>(TRACES.text, [this.keyId])).rows;
      if (!traces!.any) await sql.query(BEGIN_TOTAL, [this.keyId, this.sealed(0n)]);
    });
  }

  async find(sql: Sql, tenantId: string): Promise<TenantHead | undefined> {
    return (await sql.query<TenantHead & object>(HEAD, [tenantId, this.keyId])).rows[0];
  }

  async change(sql: Sql, tenantId: string, change: HeadChange): Promise<void> {
    const [row] = (await sql.query<{ total: string }>(LOCK_TOTAL, [this.keyId])).rows;
    const before = await this.find(sql, tenantId);
    const after = { ...(before ?? none(tenantId)), ...change };
    await sql.query(SAVE, [tenantId, this.keyId, after.chain, after.retention]);
    const sum = row && this.opened(row.total);
    if (sum === undefined) return;
    const total = replaceWeight(sum, before ? this.weightOf(before) : 0n, this.weightOf(after));
    await sql.query(SAVE_TOTAL, [this.keyId, this.sealed(total)]);
  }

  matchTotal(): Promise<boolean> {
    return this.database.transaction(async (sql) => {
      await sql.query(SNAPSHOT);
      const [row] = (await sql.query<{ total: string }>(TOTAL, [this.keyId])).rows;
      const total = row && this.opened(row.total);
      return total !== undefined && total === (await this.sum(sql));
    });
  }

  private async sum(sql: Sql): Promise<bigint> {
    let sum = 0n;
    for (let after = ''; ;) {
      const page = (await sql.query<TenantHead & object>(HEADS.text, [this.keyId, after, PAGE])).rows;
      for (const head of page) sum = replaceWeight(sum, 0n, this.weightOf(head));
      if (page.length < PAGE) return sum;
      after = page.at(-1)!.tenantId;
    }
  }

  private get keyId(): string {
    return this.keys.current('audit').id;
  }

  private weightOf(head: TenantHead): bigint {
    return weightOf(head, this.keys.key('audit'));
  }

  private sealed(total: bigint): string {
    return this.keys.encrypt(total.toString(16), `audit-heads ${this.keyId}`);
  }

  /** Undefined: it was not written with our key. */
  private opened(total: string): bigint | undefined {
    try {
      return BigInt(`0x${this.keys.decrypt(total, `audit-heads ${this.keyId}`)}`);
    } catch {
      return undefined;
    }
  }
}
