import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TenantCatalog } from '../../tenancy/index.js';
import { GrantCatalog, type GrantView, type Named } from '../application/ports.js';
import {
  grantAggregate,
  noKeyOfTenant,
  type GrantFacts,
  type GrantRef,
  type GrantState,
  type PrincipalKind,
} from '../domain/grant.js';

export const GRANT_COLUMNS = `tenant_id, grant_id, principal_kind, principal_id, effect, actions, resource, constraints, version, created_at`;

const FIND: Statement = {
  name: 'grant-find',
  text: `SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND grant_id = $2`,
};
const LIST: Statement = {
  name: 'grant-list',
  text: `SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND grant_id > $2 ORDER BY grant_id LIMIT $3`,
};
const ADD = `
INSERT INTO access_grant (tenant_id, grant_id, principal_kind, principal_id, effect, actions, resource, constraints, version, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;
const COUNT = `SELECT count(*) AS grants FROM access_grant WHERE tenant_id = $1 AND principal_kind = $2 AND principal_id = $3`;
/** The owner of the key belongs to the tenant, or something is granted to them there; in the system the key need only exist. */
const KEY_OF_TENANT = `
SELECT 1 FROM api_key k WHERE k.key_id = $2 AND ($1 = '$system'
  OR EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = $1 AND m.user_id = k.user_id)
  OR EXISTS (SELECT 1 FROM access_grant g WHERE g.tenant_id = $1 AND g.principal_kind = 'user' AND g.principal_id = k.user_id))`;
const REMOVE = 'DELETE FROM access_grant WHERE tenant_id = $1 AND grant_id = $2';

export interface GrantRow {
  readonly tenant_id: string;
  readonly grant_id: string;
  readonly principal_kind: PrincipalKind;
  readonly principal_id: string;
  readonly effect: 'allow' | 'deny';
  readonly actions: string;
  readonly resource: string;
  readonly constraints: string | null;
  readonly version: number;
  readonly created_at: number;
}

@Injectable()
export class PostgresGrants extends GrantCatalog {
  readonly aggregate = grantAggregate;

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantCatalog,
  ) {
    super();
  }

  override async ask(sql: Sql, ref: GrantRef, { state }: Changed<GrantState>): Promise<GrantFacts> {
    if (state.status === 'none') return { grants: 0 };
    await this.tenants.hold(sql, ref);
    const { kind, id } = state.principal;
    if (kind === 'apiKey' && !(await sql.query(KEY_OF_TENANT, [ref.tenantId, id])).rowCount) throw noKeyOfTenant(id);
    return (await sql.query<GrantFacts>(COUNT, [ref.tenantId, kind, id])).rows[0]!;
  }

  async project(sql: Sql, { tenantId, grantId }: GrantRef, { state, version }: Changed<GrantState>): Promise<void> {
    if (state.status === 'none') {
      await sql.query(REMOVE, [tenantId, grantId]);
      return;
    }
    const { principal, effect, actions, resource, constraints, createdAt } = state;
    const rule = [effect, JSON.stringify(actions), resource, constraints && JSON.stringify(constraints)];
    await sql.query(ADD, [tenantId, grantId, principal.kind, principal.id, ...rule, version, createdAt]);
  }

  async find({ tenantId, grantId }: Named<GrantRef>): Promise<GrantView | undefined> {
    const [row] = await this.database.query<GrantRow>(FIND, [tenantId, grantId]);
    return row && toGrantView(row);
  }

  async list(tenantId: string, afterId: string, limit: number): Promise<GrantView[]> {
    return (await this.database.query<GrantRow>(LIST, [tenantId, afterId, limit])).map(toGrantView);
  }
}

export const toGrantView = (row: GrantRow): GrantView => ({
  tenantId: row.tenant_id,
  grantId: row.grant_id,
  principal: { kind: row.principal_kind, id: row.principal_id },
  effect: row.effect,
  actions: JSON.parse(row.actions) as string[],
  resource: row.resource,
  constraints: row.constraints === null ? null : (JSON.parse(row.constraints) as object),
  version: row.version,
  createdAt: row.created_at,
});
