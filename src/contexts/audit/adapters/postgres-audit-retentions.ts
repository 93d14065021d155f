import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { AuditRetentions, type Retention } from '../application/ports.js';

const FIND: Statement = {
  name: 'audit-retention-find',
  text: 'SELECT max_age_days AS days, version FROM audit_retention WHERE tenant_id = $1',
};
const REPLACE = `
INSERT INTO audit_retention (tenant_id, max_age_days, version, updated_at) VALUES ($1, $3, $2::bigint + 1, $4)
ON CONFLICT (tenant_id) DO UPDATE SET max_age_days = $3, version = $2::bigint + 1, updated_at = $4 WHERE audit_retention.version = $2
RETURNING version`;

@Injectable()
export class PostgresAuditRetentions extends AuditRetentions {
  constructor(private readonly database: Database) {
    super();
  }

  async find(tenantId: string): Promise<Retention | undefined> {
    const [retention] = await this.database.query<Retention>(FIND, [tenantId]);
    return retention;
  }

  async replace(sql: Sql, tenantId: string, version: number, days: number, now: number): Promise<boolean> {
    return (await sql.query(REPLACE, [tenantId, version, days, now])).rows.length > 0;
  }
}
