import { Inject, Injectable } from '@nestjs/common';
import { TENANT_SETTINGS, type Settings } from '../../../platform/config/index.js';
import type { Versioned } from '../../../kernel/aggregate.js';
import type { Changed } from '../../../platform/event-log/index.js';
import { JobStore } from '../../../platform/jobs/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TENANT_DELETION, type DeletionPayload } from '../application/tenant-deletions.js';
import { TenantLifecycle } from '../application/tenant-lifecycle.js';
import { TenantCatalog, type TenantView } from '../application/ports.js';
import {
  NO_DEFAULTS,
  tenantAggregate,
  tenantNotFound,
  type TenantDefaults,
  type TenantFacts,
  type TenantRef,
  type TenantState,
  type TenantStatus,
} from '../domain/tenant.js';
import type { LimitedKind, TenantRoom } from '../domain/tenant-room.js';
import { effectiveLimitsOf, NO_LIMITS, type TenantLimits } from '../domain/tenant-limits.js';

const COLUMNS = `tenant_id AS "tenantId", tenant_uid AS "tenantUid", name, state, reason, limits, defaults,
  deletion_id AS "deletionId", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = { name: 'tenant-find', text: `SELECT ${COLUMNS} FROM tenant WHERE tenant_id = $1` };
const LIST: Statement = {
  name: 'tenant-list',
  text: `SELECT ${COLUMNS} FROM tenant
  WHERE tenant_id > $1 AND ($3::text[] IS NULL OR tenant_id = ANY ($3)) ORDER BY tenant_id LIMIT $2`,
};
const UPSERT = `
INSERT INTO tenant (tenant_id, tenant_uid, name, state, reason, limits, defaults, deletion_id, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant_id) DO UPDATE
  SET name = $3, state = $4, reason = $5, limits = $6, defaults = $7, deletion_id = $8, version = $9, updated_at = $11`;
const HOLD = `SELECT state FROM tenant WHERE tenant_id = $1 AND ($2::uuid IS NULL OR tenant_uid = $2) FOR KEY SHARE`;
const STATE: Statement = { name: 'tenant-state', text: 'SELECT state FROM tenant WHERE tenant_id = $1' };
const ROOM: Statement = {
  name: 'tenant-room',
  text: `SELECT state, limits, coalesce((SELECT held FROM tenant_usage WHERE tenant_id = $1 AND kind = $2), 0) AS held
FROM tenant WHERE tenant_id = $1`,
};
const ONE_MORE = `
INSERT INTO tenant_usage (tenant_id, kind, held) VALUES ($1, $2, 1)
ON CONFLICT (tenant_id, kind) DO UPDATE SET held = tenant_usage.held + 1`;
const ONE_LESS = 'UPDATE tenant_usage SET held = held - 1 WHERE tenant_id = $1 AND kind = $2';
const NONE_LEFT = 'DELETE FROM tenant_usage WHERE tenant_id = $1 AND kind = $2 AND held <= 0';
/** Waits for what is being created in the tenant, which holds a shared lock; then nothing more can be. */
const CLOSE = 'SELECT 1 FROM tenant WHERE tenant_id = $1 FOR UPDATE';
const REMOVE = 'DELETE FROM tenant WHERE tenant_id = $1';
const ANY_NAMESPACE = 'SELECT 1 FROM namespace WHERE tenant_id = $1 LIMIT 1';

type TenantRow = Omit<TenantView, 'limits' | 'effectiveLimits' | 'defaults'> & {
  readonly limits: string | null;
  readonly defaults: string | null;
};

type RoomRow = Pick<TenantRow, 'state' | 'limits'> & Pick<TenantRoom, 'held'>;

@Injectable()
export class PostgresTenants extends TenantCatalog {
  readonly aggregate = tenantAggregate;
  private readonly installation: TenantLimits;

  constructor(
    private readonly database: Database,
    private readonly lifecycle: TenantLifecycle,
    private readonly jobs: JobStore,
    @Inject(TENANT_SETTINGS) settings: Settings['tenants'],
  ) {
    super();
    this.installation = {
      namespaces: settings.namespacesMax ?? null,
      topics: settings.topicsMax ?? null,
      consumers: settings.consumersMax ?? null,
      eventsPerSecond: settings.eventsPerSecondMax ?? null,
      storageBytes: settings.storageBytesMax ?? null,
    };
  }

  override async ask(sql: Sql, { tenantId }: TenantRef, { state }: Changed<TenantState>): Promise<TenantFacts> {
    if (state.status !== 'none') return { holdsNamespaces: false };
    await sql.query(CLOSE, [tenantId]);
    return { holdsNamespaces: Boolean((await sql.query(ANY_NAMESPACE, [tenantId])).rowCount) };
  }

  async project(
    sql: Sql,
    { tenantId }: TenantRef,
    { state, version, recordedAt }: Changed<TenantState>,
  ): Promise<void> {
    if (state.status === 'none') {
      await sql.query(REMOVE, [tenantId]);
      await this.lifecycle.ended(sql, tenantId);
      await this.jobs.completeAll(sql, tenantId, TENANT_DELETION, recordedAt);
      return;
    }
    const { tenantUid, name, status, reason, limits, defaults, deletion, createdAt } = state;
    const settings = [name, status, reason, JSON.stringify(limits), JSON.stringify(defaults)];
    const row = [tenantId, tenantUid, ...settings, deletion?.deletionId, version, createdAt, recordedAt];
    await sql.query(UPSERT, row);
    if (!deletion) return;
    const { deletionId: jobId, startedBy } = deletion;
    const payload: DeletionPayload = { startedBy };
    await this.jobs.add(sql, { tenantId, jobId, kind: TENANT_DELETION, payload, createdAt: recordedAt });
  }

  async stateWithin(sql: Sql, tenantId: string): Promise<TenantStatus | undefined> {
    return (await sql.query<{ state: TenantStatus }>({ ...STATE, values: [tenantId] })).rows[0]?.state;
  }

  async heldState(
    sql: Sql,
    { tenantId, tenantUid }: { tenantId: string; tenantUid?: string },
  ): Promise<TenantStatus | undefined> {
    return (await sql.query<{ state: TenantStatus }>(HOLD, [tenantId, tenantUid ?? null])).rows[0]?.state;
  }

  async room(sql: Sql, tenantId: string, kind: LimitedKind): Promise<TenantRoom | undefined> {
    const [row] = (await sql.query<RoomRow>({ ...ROOM, values: [tenantId, kind] })).rows;
    return row && { status: row.state, held: row.held, max: this.limitsOf(row.limits).effectiveLimits[kind] };
  }

  async count(sql: Sql, tenantId: string, kind: LimitedKind, change: 'made' | 'deleted'): Promise<void> {
    for (const statement of change === 'made' ? [ONE_MORE] : [ONE_LESS, NONE_LEFT])
      await sql.query(statement, [tenantId, kind]);
  }

  viewOf({ tenantId }: TenantRef, { state, version, recordedAt }: Versioned<TenantState>): TenantView {
    if (state.status === 'none') throw tenantNotFound(tenantId);
    const { tenantUid, name, status, reason, limits, defaults, deletion, createdAt } = state;
    const deletionId = deletion?.deletionId ?? null;
    const row = {
      tenantId,
      tenantUid,
      name,
      state: status,
      reason,
      deletionId,
      version,
      createdAt,
      updatedAt: recordedAt,
    };
    return { ...row, defaults, limits, effectiveLimits: effectiveLimitsOf(limits, this.installation) };
  }

  async find(tenantId: string): Promise<TenantView | undefined> {
    const [row] = await this.database.query<TenantRow>(FIND, [tenantId]);
    return row && this.toView(row);
  }

  async list(afterId: string, limit: number, among?: readonly string[]): Promise<TenantView[]> {
    return (await this.database.query<TenantRow>(LIST, [afterId, limit, among ?? null])).map((row) => this.toView(row));
  }

  private toView(row: TenantRow): TenantView {
    const defaults = row.defaults === null ? NO_DEFAULTS : (JSON.parse(row.defaults) as TenantDefaults);
    return { ...row, ...this.limitsOf(row.limits), defaults };
  }

  private limitsOf(stored: string | null): Pick<TenantView, 'limits' | 'effectiveLimits'> {
    const limits = stored === null ? NO_LIMITS : (JSON.parse(stored) as TenantLimits);
    return { limits, effectiveLimits: effectiveLimitsOf(limits, this.installation) };
  }
}
