import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { tenancyError } from '../domain/tenancy-errors.js';
import { TenantCatalog, type TenantView } from '../application/ports.js';
import { tenantAggregate, type TenantRef, type TenantState } from '../domain/tenant.js';

const COLUMNS = `tenant_id AS "tenantId", name, state, version, created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = { name: 'tenant-find', text: `SELECT ${COLUMNS} FROM tenant WHERE tenant_id = $1` };
const LIST: Statement = {
  name: 'tenant-list',
  text: `SELECT ${COLUMNS} FROM tenant WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2`,
};
const UPSERT = `
INSERT INTO tenant (tenant_id, name, state, version, created_at, updated_at) VALUES ($1, $2, 'active', $3, $4, $5)
ON CONFLICT (tenant_id) DO UPDATE SET name = $2, version = $3, updated_at = $5`;
const REMOVE = 'DELETE FROM tenant WHERE tenant_id = $1';
const ANY_NAMESPACE = 'SELECT 1 FROM namespace WHERE tenant_id = $1 LIMIT 1';

@Injectable()
export class PostgresTenants extends TenantCatalog {
  readonly aggregate = tenantAggregate;

  constructor(private readonly database: Database) {
    super();
  }

  async project(
    sql: Sql,
    { tenantId }: TenantRef,
    { state, version, recordedAt }: Changed<TenantState>,
  ): Promise<void> {
    if (state.status === 'none') return this.remove(sql, tenantId);
    await sql.query(UPSERT, [tenantId, state.name, version, state.createdAt, recordedAt]);
  }

  /** Removing the row waits for namespaces that are being created, which hold a share of it; then none can come any more. */
  private async remove(sql: Sql, tenantId: string): Promise<void> {
    await sql.query(REMOVE, [tenantId]);
    const { rowCount } = await sql.query(ANY_NAMESPACE, [tenantId]);
    if (rowCount)
      throw tenancyError('tenant-not-empty', `Tenant "${tenantId}" holds namespaces; delete them or use ?force=true.`);
  }

  async find(tenantId: string): Promise<TenantView | undefined> {
    const [tenant] = await this.database.query<TenantView>(FIND, [tenantId]);
    return tenant;
  }

  list(afterId: string, limit: number): Promise<TenantView[]> {
    return this.database.query<TenantView>(LIST, [afterId, limit]);
  }
}
