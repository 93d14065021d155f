import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { NamespaceContents } from '../application/namespace-removal.js';
import { TenantLives } from '../application/tenant-lives.js';
import { NamespaceCatalog, TenantCatalog, type NamespaceView } from '../application/ports.js';
import { tenancyError } from '../domain/tenancy-errors.js';
import { namespaceAggregate, type NamespaceLife, type NamespaceRef, type NamespaceState } from '../domain/namespace.js';

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
    private readonly lives: TenantLives,
    private readonly tenants: TenantCatalog,
  ) {
    super();
  }

  async project(sql: Sql, ref: NamespaceRef, { state, version, recordedAt }: Changed<NamespaceState>): Promise<void> {
    const { tenantId, namespaceId } = ref;
    if (state.status === 'none') return this.remove(sql, ref, state.forced!);
    await this.tenants.hold(sql, { tenantId });
    const { namespaceUid, name, createdAt } = state;
    await sql.query(UPSERT, [tenantId, namespaceId, namespaceUid, name, version, createdAt, recordedAt]);
    if (createdAt === recordedAt) await this.tenants.requireRoom(sql, tenantId, 'namespaces');
  }

  /** Removing the row waits for what is being created in it, which holds a share of it; then nothing can come any more. */
  private async remove(sql: Sql, ref: NamespaceRef, forced: boolean): Promise<void> {
    await sql.query(REMOVE, [ref.tenantId, ref.namespaceId]);
    await this.lives.namespaceEnded(sql, ref);
    if (!forced && (await this.contents.any(sql, ref)))
      throw tenancyError(
        'namespace-not-empty',
        `Namespace "${ref.namespaceId}" is not empty; empty it or use ?force=true.`,
      );
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
