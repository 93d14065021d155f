import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { NamespaceContents } from '../application/namespace-removal.js';
import { TenantLifecycle } from '../application/tenant-lifecycle.js';
import { NamespaceCatalog, TenantCatalog, type NamespaceView } from '../application/ports.js';
import {
  namespaceAggregate,
  type NamespaceFacts,
  type NamespaceLife,
  type NamespaceRef,
  type NamespaceState,
} from '../domain/namespace.js';

const COLUMNS = `tenant_id AS "tenantId", namespace_id AS "namespaceId", name, version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = {
  name: 'namespace-find',
  text: `SELECT ${COLUMNS} FROM namespace WHERE tenant_id = $1 AND namespace_id = $2`,
};
const LIST: Statement = {
  name: 'namespace-list',
  text: `SELECT ${COLUMNS} FROM namespace WHERE tenant_id = $1 AND namespace_id > $2 ORDER BY namespace_id LIMIT $3`,
};
const ENDING: Statement = {
  name: 'namespace-ending',
  text: `SELECT tenant_id AS "tenantId", namespace_id AS "namespaceId", namespace_uid AS "namespaceUid" FROM namespace
  WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM tenant WHERE tenant_id = $1 AND deletion_id = $2) LIMIT $3`,
};
const HOLD = 'SELECT namespace_uid FROM namespace WHERE tenant_id = $1 AND namespace_id = $2 FOR KEY SHARE';
/** Waits for what is being created in it, which holds a shared lock; then nothing more can be. */
const CLOSE = 'SELECT 1 FROM namespace WHERE tenant_id = $1 AND namespace_id = $2 FOR UPDATE';
const UPSERT = `
INSERT INTO namespace (tenant_id, namespace_id, namespace_uid, name, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, namespace_id) DO UPDATE SET name = $4, version = $5, updated_at = $7`;
const COUNT: Statement = {
  name: 'namespace-count',
  text: 'SELECT count(*) AS count FROM namespace WHERE tenant_id = $1',
};
const REMOVE = 'DELETE FROM namespace WHERE tenant_id = $1 AND namespace_id = $2';

@Injectable()
export class PostgresNamespaces extends NamespaceCatalog {
  readonly aggregate = namespaceAggregate;

  constructor(
    private readonly database: Database,
    private readonly contents: NamespaceContents,
    private readonly lifecycle: TenantLifecycle,
    private readonly tenants: TenantCatalog,
  ) {
    super();
  }

  override async ask(sql: Sql, ref: NamespaceRef, changed: Changed<NamespaceState>): Promise<NamespaceFacts> {
    const { tenantId, namespaceId } = ref;
    const { before, state } = changed;
    if (state.status === 'none') {
      await sql.query(CLOSE, [tenantId, namespaceId]);
      return { tenant: undefined, room: undefined, occupied: !state.forced && (await this.contents.any(sql, ref)) };
    }
    const tenant = await this.tenants.heldState(sql, { tenantId });
    const room = before.status === 'none' ? await this.tenants.room(sql, tenantId, 'namespaces') : undefined;
    return { tenant, room, occupied: false };
  }

  async project(
    sql: Sql,
    ref: NamespaceRef,
    { before, state, version, recordedAt }: Changed<NamespaceState>,
  ): Promise<void> {
    const { tenantId, namespaceId } = ref;
    if (state.status === 'none') {
      await sql.query(REMOVE, [tenantId, namespaceId]);
      await this.tenants.count(sql, tenantId, 'namespaces', 'deleted');
      return this.lifecycle.namespaceEnded(sql, ref);
    }
    const { namespaceUid, name, createdAt } = state;
    await sql.query(UPSERT, [tenantId, namespaceId, namespaceUid, name, version, createdAt, recordedAt]);
    if (before.status === 'none') await this.tenants.count(sql, tenantId, 'namespaces', 'made');
  }

  async hold(sql: Sql, { tenantId, namespaceId }: NamespaceRef): Promise<string | undefined> {
    const { rows } = await sql.query<{ namespace_uid: string }>(HOLD, [tenantId, namespaceId]);
    return rows[0]?.namespace_uid;
  }

  async find({ tenantId, namespaceId }: NamespaceRef): Promise<NamespaceView | undefined> {
    const [namespace] = await this.database.query<NamespaceView>(FIND, [tenantId, namespaceId]);
    return namespace;
  }

  list(tenantId: string, afterId: string, limit: number): Promise<NamespaceView[]> {
    return this.database.query<NamespaceView>(LIST, [tenantId, afterId, limit]);
  }

  async count(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(COUNT, [tenantId]);
    return row!.count;
  }

  ending(tenantId: string, deletionId: string, limit: number): Promise<NamespaceLife[]> {
    return this.database.query<NamespaceLife>(ENDING, [tenantId, deletionId, limit]);
  }
}
