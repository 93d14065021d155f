import { Injectable } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TenantCatalog } from '../../tenancy/index.js';
import { RoleCatalog, type RoleView, type Named } from '../application/ports.js';
import { predefinedRole } from '../domain/predefined-roles.js';
import {
  requireNotHeld,
  roleAggregate,
  roleNotFound,
  type RoleFacts,
  type RoleRef,
  type RoleState,
} from '../domain/role.js';

const COLUMNS = `tenant_id AS "tenantId", role_id AS "roleId", name, description, actions, version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = {
  name: 'role-find',
  text: `SELECT ${COLUMNS} FROM role WHERE tenant_id = $1 AND role_id = $2`,
};
const LIST: Statement = {
  name: 'role-list',
  text: `SELECT ${COLUMNS} FROM role WHERE tenant_id = $1 ORDER BY role_id`,
};
const KNOWN: Statement = {
  name: 'role-known',
  text: 'SELECT role_id AS "roleId" FROM role WHERE tenant_id = $1 AND role_id = ANY ($2::text[])',
};
const HELD = `SELECT 1 FROM member_role WHERE tenant_id = $1 AND role_id = $2
UNION ALL SELECT 1 FROM group_part WHERE tenant_id = $1 AND part = 'role' AND id = $2 LIMIT 1`;
const COUNT = 'SELECT count(*) AS roles FROM role WHERE tenant_id = $1';
const UPSERT = `
INSERT INTO role (tenant_id, role_id, name, description, actions, version, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, role_id) DO UPDATE SET name = $3, description = $4, actions = $5, version = $6, updated_at = $8`;
const REMOVE = 'DELETE FROM role WHERE tenant_id = $1 AND role_id = $2';
const REMOVE_GRANTS = `DELETE FROM access_grant WHERE tenant_id = $1 AND principal_kind = 'role' AND principal_id = $2`;

type RoleRow = Omit<RoleView, 'actions'> & { readonly actions: string };

@Injectable()
export class PostgresRoles extends RoleCatalog {
  readonly aggregate = roleAggregate;

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantCatalog,
  ) {
    super();
  }

  override async ask(sql: Sql, ref: RoleRef, { before, state }: Changed<RoleState>): Promise<RoleFacts> {
    const { tenantId, roleId } = ref;
    if (state.status === 'none') {
      requireNotHeld(roleId, (await sql.query(HELD, [tenantId, roleId])).rowCount! > 0);
      return { roles: 0 };
    }
    await this.tenants.hold(sql, ref);
    if (before.status === 'active') return { roles: 0 };
    return (await sql.query<RoleFacts>(COUNT, [tenantId])).rows[0]!;
  }

  async project(
    sql: Sql,
    { tenantId, roleId }: RoleRef,
    { state, version, recordedAt }: Changed<RoleState>,
  ): Promise<void> {
    if (state.status === 'none') {
      for (const remove of [REMOVE_GRANTS, REMOVE]) await sql.query(remove, [tenantId, roleId]);
      return;
    }
    const { name, description, actions, createdAt } = state;
    const settings = [name, description, JSON.stringify(actions)];
    await sql.query(UPSERT, [tenantId, roleId, ...settings, version, createdAt, recordedAt]);
  }

  async requireAll(tenantId: string, roleIds: readonly string[], sql?: Sql): Promise<void> {
    const scope = tenantId === SYSTEM_TENANT ? 'system' : 'tenant';
    const own = roleIds.filter((roleId) => predefinedRole(roleId)?.scope !== scope);
    if (own.length === 0) return;
    const values = [tenantId, own];
    const rows = sql
      ? (await sql.query<{ roleId: string }>({ ...KNOWN, values })).rows
      : await this.database.query<{ roleId: string }>(KNOWN, values);
    const known = new Set(rows.map(({ roleId }) => roleId));
    const missing = own.find((roleId) => !known.has(roleId));
    if (missing !== undefined) throw roleNotFound(missing);
  }

  async find({ tenantId, roleId }: Named<RoleRef>): Promise<RoleView | undefined> {
    const [row] = await this.database.query<RoleRow>(FIND, [tenantId, roleId]);
    return row && toView(row);
  }

  async list(tenantId: string): Promise<RoleView[]> {
    return (await this.database.query<RoleRow>(LIST, [tenantId])).map(toView);
  }
}

const toView = (row: RoleRow): RoleView => ({ ...row, actions: JSON.parse(row.actions) as string[] });
