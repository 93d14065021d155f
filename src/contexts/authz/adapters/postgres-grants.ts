import { Injectable } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TenantCatalog } from '../../tenancy/index.js';
import { GrantCatalog, type GrantView, type Named } from '../application/ports.js';
import { authzError } from '../domain/authz-errors.js';
import { grantAggregate, type GrantRef, type GrantState, type PrincipalKind } from '../domain/grant.js';

export const GRANT_COLUMNS = `tenant_id, grant_id, principal_kind, principal_id, effect, actions, resource, constraints, version, created_at`;

const FIND: Statement = {
  name: 'grant-find',
  text: `SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND grant_id = $2`,
};
const LIST: Statement = {
  name: 'grant-list',
  text: `SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND grant_id > $2 ORDER BY grant_id LIMIT $3`,
};
/** By the tenants, one look into the index for each: an index by key alone would be carried by every grant to a user, too. */
const TO_API_KEY: Statement = {
  name: 'grants-to-api-key',
  text: `
SELECT ${GRANT_COLUMNS} FROM access_grant
WHERE tenant_id = ANY (ARRAY(SELECT tenant_id FROM tenant) || $2::text) AND principal_kind = 'apiKey' AND principal_id = $1`,
};
const ADD = `
INSERT INTO access_grant (tenant_id, grant_id, principal_kind, principal_id, effect, actions, resource, constraints, version, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;
const COUNT = `SELECT count(*) AS grants FROM access_grant WHERE tenant_id = $1 AND principal_kind = $2 AND principal_id = $3`;
const REMOVE = 'DELETE FROM access_grant WHERE tenant_id = $1 AND grant_id = $2';

/** What one principal can have granted: all of it is compiled together. */
const GRANTS_MAX = 200;

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

  async project(sql: Sql, ref: GrantRef, { state, version }: Changed<GrantState>): Promise<void> {
    const { tenantId, grantId } = ref;
    if (state.status === 'none') {
      await sql.query(REMOVE, [tenantId, grantId]);
      return;
    }
    await this.tenants.hold(sql, ref);
    const { principal, effect, actions, resource, constraints, createdAt } = state;
    const rule = [effect, JSON.stringify(actions), resource, constraints && JSON.stringify(constraints)];
    await sql.query(ADD, [tenantId, grantId, principal.kind, principal.id, ...rule, version, createdAt]);
    const counted = await sql.query<{ grants: number }>(COUNT, [tenantId, principal.kind, principal.id]);
    if (counted.rows[0]!.grants > GRANTS_MAX)
      throw authzError('too-many-grants', `A principal may have ${GRANTS_MAX} grants in a tenant.`);
  }

  async find({ tenantId, grantId }: Named<GrantRef>): Promise<GrantView | undefined> {
    const [row] = await this.database.query<GrantRow>(FIND, [tenantId, grantId]);
    return row && toGrantView(row);
  }

  async list(tenantId: string, afterId: string, limit: number): Promise<GrantView[]> {
    return (await this.database.query<GrantRow>(LIST, [tenantId, afterId, limit])).map(toGrantView);
  }

  async toApiKey(keyId: string): Promise<GrantView[]> {
    return (await this.database.query<GrantRow>(TO_API_KEY, [keyId, SYSTEM_TENANT])).map(toGrantView);
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
