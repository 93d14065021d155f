import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { tenancyError } from '../domain/tenancy-errors.js';
import { TenantLives } from '../application/tenant-lives.js';
import { TenantCatalog, type TenantView } from '../application/ports.js';
import { NO_LIMITS, tenantAggregate, type TenantLimits, type TenantRef, type TenantState } from '../domain/tenant.js';

const COLUMNS = `tenant_id AS "tenantId", tenant_uid AS "tenantUid", name, state, reason, limits, version, created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = { name: 'tenant-find', text: `SELECT ${COLUMNS} FROM tenant WHERE tenant_id = $1` };
const LIST: Statement = {
  name: 'tenant-list',
  text: `SELECT ${COLUMNS} FROM tenant
  WHERE tenant_id > $1 AND ($3::text[] IS NULL OR tenant_id = ANY ($3)) ORDER BY tenant_id LIMIT $2`,
};
const UPSERT = `
INSERT INTO tenant (tenant_id, tenant_uid, name, state, reason, limits, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant_id) DO UPDATE SET name = $3, state = $4, reason = $5, limits = $6, version = $7, updated_at = $9`;
const COUNT = {
  topics:
    'SELECT limits, (SELECT count(*) FROM topic o WHERE o.tenant_id = $1) AS held FROM tenant t WHERE t.tenant_id = $1',
  consumers:
    'SELECT limits, (SELECT count(*) FROM consumer o WHERE o.tenant_id = $1) AS held FROM tenant t WHERE t.tenant_id = $1',
};
const REMOVE = 'DELETE FROM tenant WHERE tenant_id = $1';
const ANY_NAMESPACE = 'SELECT 1 FROM namespace WHERE tenant_id = $1 LIMIT 1';

type TenantRow = Omit<TenantView, 'limits'> & { readonly limits: string | null };

@Injectable()
export class PostgresTenants extends TenantCatalog {
  readonly aggregate = tenantAggregate;

  constructor(
    private readonly database: Database,
    private readonly lives: TenantLives,
  ) {
    super();
  }

  async project(
    sql: Sql,
    { tenantId }: TenantRef,
    { state, version, recordedAt }: Changed<TenantState>,
  ): Promise<void> {
    if (state.status === 'none') return this.remove(sql, tenantId);
    const { tenantUid, name, status, reason, limits, createdAt } = state;
    const settings = [tenantUid, name, status, reason, JSON.stringify(limits)];
    await sql.query(UPSERT, [tenantId, ...settings, version, createdAt, recordedAt]);
  }

  /** Removing the row waits for namespaces that are being created, which hold a share of it; then none can come any more. */
  private async remove(sql: Sql, tenantId: string): Promise<void> {
    await sql.query(REMOVE, [tenantId]);
    await this.lives.ended(sql, tenantId);
    const { rowCount } = await sql.query(ANY_NAMESPACE, [tenantId]);
    if (rowCount)
      throw tenancyError('tenant-not-empty', `Tenant "${tenantId}" holds namespaces; delete them or use ?force=true.`);
  }

  async requireRoom(sql: Sql, tenantId: string, kind: 'topics' | 'consumers'): Promise<void> {
    const { rows } = await sql.query<{ limits: string | null; held: number }>(COUNT[kind], [tenantId]);
    const [row] = rows;
    const most = row?.limits ? (JSON.parse(row.limits) as TenantLimits)[kind] : null;
    if (most !== null && row!.held > most)
      throw tenancyError('tenant-limit-reached', `Tenant "${tenantId}" may have ${most} ${kind}.`);
  }

  async find(tenantId: string): Promise<TenantView | undefined> {
    const [row] = await this.database.query<TenantRow>(FIND, [tenantId]);
    return row && toView(row);
  }

  async list(afterId: string, limit: number, among?: readonly string[]): Promise<TenantView[]> {
    return (await this.database.query<TenantRow>(LIST, [afterId, limit, among ?? null])).map(toView);
  }
}

const toView = (row: TenantRow): TenantView => ({
  ...row,
  limits: row.limits === null ? NO_LIMITS : (JSON.parse(row.limits) as TenantLimits),
});
