import { Injectable } from '@nestjs/common';
import { KeyRing } from '../../../platform/crypto/keys.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { AuditHeads, AuditRetentions, type Retention } from '../application/ports.js';
import { RETENTION_DAYS, clampRetention } from '../domain/retention.js';

const PAGE = 500;

/** One statement, one snapshot: the row and its last signature belong together. */
const FIND: Statement = {
  name: 'audit-retention-find',
  text: `
SELECT r.max_age_days AS days, r.version, r.signature, h.retention_signature AS "headSignature"
FROM (SELECT 1) AS one LEFT JOIN audit_retention r ON r.tenant_id = $1 LEFT JOIN audit_head h ON h.tenant_id = $1 AND h.key_id = $2`,
};
const REPLACE = `
INSERT INTO audit_retention (tenant_id, max_age_days, version, updated_at, signature) VALUES ($1, $3, $2::bigint + 1, $4, $5)
ON CONFLICT (tenant_id) DO UPDATE SET max_age_days = $3, version = $2::bigint + 1, updated_at = $4, signature = $5
WHERE audit_retention.version = $2
RETURNING version`;
const TO_SIGN: Statement = {
  name: 'audit-retentions-to-sign',
  text: `SELECT tenant_id AS "tenantId", max_age_days AS days, version, signature FROM audit_retention
WHERE NOT starts_with(signature, $1) AND tenant_id > $2 ORDER BY tenant_id LIMIT $3`,
};
const HEADLESS: Statement = {
  name: 'audit-retentions-headless',
  text: `
SELECT r.tenant_id AS "tenantId" FROM audit_retention r LEFT JOIN audit_head h ON h.tenant_id = r.tenant_id AND h.key_id = $1
WHERE r.tenant_id > $2 AND coalesce(h.retention_signature, '') = '' ORDER BY r.tenant_id LIMIT $3`,
};
const LOCK = `SELECT tenant_id AS "tenantId", max_age_days AS days, version, signature FROM audit_retention
WHERE tenant_id = $1 FOR UPDATE`;
const SIGN = 'UPDATE audit_retention SET signature = $3 WHERE tenant_id = $1 AND signature = $2';

interface RetentionRow {
  readonly tenantId: string;
  readonly days: number;
  readonly version: number;
  readonly signature: string;
}

type FoundRow = { readonly [F in keyof RetentionRow]: RetentionRow[F] | null } & {
  readonly headSignature: string | null;
};

@Injectable()
export class PostgresAuditRetentions extends AuditRetentions {
  constructor(
    private readonly database: Database,
    private readonly keys: KeyRing,
    private readonly heads: AuditHeads,
  ) {
    super();
  }

  async find(tenantId: string): Promise<Retention | undefined> {
    const [row] = await this.database.query<FoundRow>(FIND, [tenantId, this.keys.current('audit').id]);
    const { days, version, signature, headSignature } = row!;
    if (days === null || version === null || signature === null)
      return headSignature ? { days: RETENTION_DAYS.max, version: 0, genuine: false } : undefined;
    const last = !headSignature || headSignature === signature;
    const genuine = last && this.isSigned({ tenantId, days, version, signature });
    return { days: clampRetention(days), version, genuine };
  }

  async replace(sql: Sql, tenantId: string, version: number, days: number, now: number): Promise<boolean> {
    const signature = this.keys.sign(textOf({ tenantId, days, version: version + 1 }), 'audit');
    const replaced = (await sql.query(REPLACE, [tenantId, version, days, now, signature])).rows.length > 0;
    if (replaced) await this.heads.change(sql, tenantId, { retention: signature });
    return replaced;
  }

  async signAgain(): Promise<void> {
    const current = `${this.keys.current('audit').id}.`;
    for (let after = ''; ;) {
      const page = await this.database.query<RetentionRow>(TO_SIGN, [current, after, PAGE]);
      for (const row of page.filter((found) => this.isSigned(found))) {
        const values = [row.tenantId, row.signature, this.keys.sign(textOf(row), 'audit')];
        await this.database.transaction((sql) => sql.query(SIGN, values));
      }
      if (page.length < PAGE) return;
      after = page.at(-1)!.tenantId;
    }
  }

  async addMissingHeads(): Promise<void> {
    for (let after = ''; ;) {
      const page = await this.database.query<RetentionRow>(HEADLESS, [this.keys.current('audit').id, after, PAGE]);
      for (const { tenantId } of page) await this.database.transaction((sql) => this.keepHead(sql, tenantId));
      if (page.length < PAGE) return;
      after = page.at(-1)!.tenantId;
    }
  }

  private async keepHead(sql: Sql, tenantId: string): Promise<void> {
    const [row] = (await sql.query<RetentionRow & object>(LOCK, [tenantId])).rows;
    if (!row || !this.isSigned(row) || (await this.heads.find(sql, tenantId))?.retention) return;
    await this.heads.change(sql, tenantId, { retention: row.signature });
  }

  private isSigned(row: RetentionRow): boolean {
    return this.keys.isSigned(textOf(row), row.signature, 'audit');
  }
}

const textOf = ({ tenantId, days, version }: Omit<RetentionRow, 'signature'>): string =>
  JSON.stringify(['retention', tenantId, days, version]);
