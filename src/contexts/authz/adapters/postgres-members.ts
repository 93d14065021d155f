import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TenantCatalog } from '../../tenancy/index.js';
import { MemberCatalog, RoleCatalog, type HeldTopRole, type MemberView, type Named } from '../application/ports.js';
import type { OtherHolders } from '../domain/last-administrator.js';
import {
  memberAggregate,
  noSuchUser,
  type MemberEvent,
  type MemberFacts,
  type MemberRef,
  type MemberState,
  type RoleAssignment,
} from '../domain/member.js';
import { topRole } from '../domain/predefined-roles.js';

const COLUMNS = `m.tenant_id AS "tenantId", m.user_id AS "userId", m.version, m.created_at AS "createdAt", m.updated_at AS "updatedAt",
  coalesce((SELECT json_agg(json_build_object('roleId', r.role_id, 'scope', r.scope) ORDER BY r.role_id, r.scope)
    FROM member_role r WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id), '[]') AS roles`;

const FIND: Statement = {
  name: 'member-find',
  text: `SELECT ${COLUMNS} FROM member m WHERE m.tenant_id = $1 AND m.user_id = $2`,
};
const LIST: Statement = {
  name: 'member-list',
  text: `SELECT ${COLUMNS} FROM member m WHERE m.tenant_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`,
};
/** Of all tenants: the question is where the user is a member. */
const OF_USER: Statement = {
  name: 'member-of-user',
  text: `SELECT ${COLUMNS} FROM member m WHERE m.user_id = $1 ORDER BY m.tenant_id LIMIT $2`,
};
/** The deletion of the user waits for this transaction and removes what it made, or it came first. */
const HOLD_USER = 'SELECT 1 FROM user_account WHERE user_id = $1 FOR KEY SHARE';
const UPSERT = `
INSERT INTO member (tenant_id, user_id, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET version = $3, updated_at = $5`;
/** A user who leaves a tenant keeps nothing there, nor do their keys: no role, no place in a group, no grant. */
const LEAVE = [
  'DELETE FROM member WHERE tenant_id = $1 AND user_id = $2',
  'DELETE FROM member_role WHERE tenant_id = $1 AND user_id = $2',
  `DELETE FROM group_part WHERE tenant_id = $1 AND part = 'user' AND id = $2`,
  `DELETE FROM access_grant WHERE tenant_id = $1 AND (principal_kind = 'user' AND principal_id = $2
    OR principal_kind = 'apiKey' AND principal_id = ANY (ARRAY(SELECT key_id FROM api_key WHERE user_id = $2)))`,
];
const ADD_ROLE = `
INSERT INTO member_role (tenant_id, user_id, role_id, scope) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, user_id, role_id, scope) DO NOTHING`;
const LIVE_ROLES = 'SELECT role_id AS "roleId", scope FROM member_role WHERE tenant_id = $1 AND user_id = $2';
/** A transaction that suspends or deletes a user locks the rows of all holders of such a role until it knows which of them are active. */
const HOLD_KEPT_ROLE = `
SELECT 1 FROM member_role WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3 AND scope = '' FOR UPDATE`;
const REMOVE_ROLE = 'DELETE FROM member_role WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3 AND scope = $4';
const HOLDER: Statement = {
  name: 'member-role-holder',
  text: `SELECT 1 FROM member_role WHERE tenant_id = $1 AND role_id = $2 AND scope = '' LIMIT 1`,
};
const HOLDERS = `
SELECT count(*) FILTER (WHERE r.user_id <> $2) AS all, count(*) FILTER (WHERE r.user_id <> $2 AND u.state = 'active') AS active,
  count(*) FILTER (WHERE r.user_id = $2 AND u.state = 'active') AS "ownActive"
FROM member_role r LEFT JOIN user_account u ON u.user_id = r.user_id
WHERE r.tenant_id = $1 AND r.role_id = $3 AND r.scope = ''`;
const REMOVE_TENANT = ['member', 'member_role', 'role', 'user_group', 'group_part', 'access_grant'].map(
  (table) => `DELETE FROM ${table} WHERE tenant_id = $1`,
);
/** Denials stay: otherwise a caller that may delete a topic and make it again could remove them. */
const END_ALLOWED = `DELETE FROM access_grant
WHERE tenant_id = $1 AND effect = 'allow' AND (resource = $2 OR starts_with(resource, $2 || '/'))`;
const END_GRANTS = `DELETE FROM access_grant WHERE tenant_id = $1 AND (resource = $2 OR starts_with(resource, $2 || '/'))`;
const END_ROLES = `DELETE FROM member_role WHERE tenant_id = $1 AND (scope = $2 OR starts_with(scope, $2 || '/'))`;
/** The roles of which a user must not be the last holder. All their holders are locked. */
const KEPT_ROLES = `
SELECT tenant_id, user_id FROM member_role WHERE scope = '' AND (tenant_id, role_id) IN (
  SELECT tenant_id, role_id FROM member_role WHERE user_id = $1 AND scope = '' AND role_id IN ('owner', 'system-admin'))
FOR UPDATE`;
const ACTIVE_AMONG = `SELECT 1 FROM user_account WHERE user_id = ANY ($1::text[]) AND state = 'active' LIMIT 1`;
const REMOVE_USER = [
  'DELETE FROM member_role WHERE user_id = $1',
  'DELETE FROM member WHERE user_id = $1',
  `DELETE FROM group_part WHERE part = 'user' AND id = $1`,
  `DELETE FROM access_grant WHERE principal_kind = 'user' AND principal_id = $1
    OR principal_kind = 'apiKey' AND principal_id = ANY (ARRAY(SELECT key_id FROM api_key WHERE user_id = $1))`,
];

@Injectable()
export class PostgresMembers extends MemberCatalog {
  readonly aggregate = memberAggregate;

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantCatalog,
    private readonly roles: RoleCatalog,
  ) {
    super();
  }

  /** A concurrent suspension or deletion of a user waits for the row of the role that must stay, or holders are counted after it. */
  override async ask(
    sql: Sql,
    ref: MemberRef,
    { state, events }: Changed<MemberState, MemberEvent>,
  ): Promise<MemberFacts> {
    const { tenantId, userId } = ref;
    if (state.status === 'active') {
      if (!(await sql.query(HOLD_USER, [userId])).rowCount) throw noSuchUser(userId);
      await this.tenants.hold(sql, ref);
      const assigned = events.flatMap(({ type, data }) => (type === 'member.role-assigned' ? [data.roleId] : []));
      await this.roles.requireAll(tenantId, assigned, sql);
    }
    const kept = [tenantId, userId, topRole(tenantId)];
    await sql.query(HOLD_KEPT_ROLE, kept);
    const live = await sql.query<RoleAssignment>(LIVE_ROLES, [tenantId, userId]);
    const holders = await sql.query<OtherHolders & { ownActive: number }>(HOLDERS, kept);
    const { ownActive, ...others } = holders.rows[0]!;
    return { live: live.rows, active: ownActive > 0, others };
  }

  /** Roles by the events, not by the state: those that have ended with their resource stay ended. */
  async project(
    sql: Sql,
    { tenantId, userId }: MemberRef,
    { state, version, recordedAt, events }: Changed<MemberState, MemberEvent>,
  ): Promise<void> {
    if (state.status === 'none') {
      for (const remove of LEAVE) await sql.query(remove, [tenantId, userId]);
      return;
    }
    await sql.query(UPSERT, [tenantId, userId, version, state.createdAt, recordedAt]);
    for (const { type, data } of events) {
      if (type === 'member.role-assigned') await sql.query(ADD_ROLE, [tenantId, userId, data.roleId, data.scope]);
      if (type === 'member.role-removed') await sql.query(REMOVE_ROLE, [tenantId, userId, data.roleId, data.scope]);
    }
  }

  async find({ tenantId, userId }: Named<MemberRef>): Promise<MemberView | undefined> {
    const [member] = await this.database.query<MemberView & { roles: RoleAssignment[] }>(FIND, [tenantId, userId]);
    return member;
  }

  list(tenantId: string, afterId: string, limit: number): Promise<MemberView[]> {
    return this.database.query<MemberView>(LIST, [tenantId, afterId, limit]);
  }

  async anyHolder(tenantId: string, roleId: string): Promise<boolean> {
    return (await this.database.query(HOLDER, [tenantId, roleId])).length > 0;
  }

  async removeTenant(sql: Sql, tenantId: string): Promise<void> {
    for (const remove of REMOVE_TENANT) await sql.query(remove, [tenantId]);
    await sql.query(END_GRANTS, [SYSTEM_TENANT, `tenants/${tenantId}`]);
  }

  async removeResource(sql: Sql, tenantId: string, path: string): Promise<void> {
    const resource = `tenants/${tenantId}/${path}`;
    for (const place of [tenantId, SYSTEM_TENANT]) await sql.query(END_ALLOWED, [place, resource]);
    await sql.query(END_ROLES, [tenantId, path]);
  }

  async topRolesHeldBy(sql: Sql, userId: string): Promise<HeldTopRole[]> {
    const { rows } = await sql.query<{ tenant_id: string; user_id: string }>(KEPT_ROLES, [userId]);
    const kept: HeldTopRole[] = [];
    for (const [tenantId, holders] of Map.groupBy(rows, (row) => row.tenant_id)) {
      const others = holders.map((row) => row.user_id).filter((id) => id !== userId);
      kept.push({ tenantId, othersActive: (await sql.query(ACTIVE_AMONG, [others])).rowCount! > 0 });
    }
    return kept;
  }

  async removeUser(sql: Sql, userId: string): Promise<void> {
    for (const remove of REMOVE_USER) await sql.query(remove, [userId]);
  }

  ofUser(userId: string, limit?: number): Promise<MemberView[]> {
    return this.database.query<MemberView>(OF_USER, [userId, limit ?? null]);
  }
}
