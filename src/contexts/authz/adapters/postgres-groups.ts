import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TenantCatalog } from '../../tenancy/index.js';
import { GroupCatalog, RoleCatalog, type GroupView, type Named } from '../application/ports.js';
import { authzError } from '../domain/authz-errors.js';
import {
  groupAggregate,
  groupCycle,
  groupNotFound,
  PARTS_MAX,
  type GroupEvent,
  type GroupPart,
  type GroupRef,
  type GroupState,
} from '../domain/group.js';
import { memberNotFound } from '../domain/member.js';

const COLUMNS = `tenant_id AS "tenantId", group_id AS "groupId", name, version, created_at AS "createdAt", updated_at AS "updatedAt"`;

const FIND: Statement = {
  name: 'group-find',
  text: `SELECT ${COLUMNS} FROM user_group WHERE tenant_id = $1 AND group_id = $2`,
};
const LIST: Statement = {
  name: 'group-list',
  text: `SELECT ${COLUMNS} FROM user_group WHERE tenant_id = $1 AND group_id > $2 ORDER BY group_id LIMIT $3`,
};
const PARTS: Statement = {
  name: 'group-parts',
  text: `SELECT id FROM group_part WHERE tenant_id = $1 AND group_id = $2 AND part = $3 AND id > $4 ORDER BY id LIMIT $5`,
};
const HAS_PART: Statement = {
  name: 'group-has-part',
  text: 'SELECT 1 FROM group_part WHERE tenant_id = $1 AND group_id = $2 AND part = $3 AND id = $4',
};
const UPSERT = `
INSERT INTO user_group (tenant_id, group_id, name, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, group_id) DO UPDATE SET name = $3, version = $4, updated_at = $6`;
const COUNT = 'SELECT count(*) AS groups FROM user_group WHERE tenant_id = $1';
const REMOVE = 'DELETE FROM user_group WHERE tenant_id = $1 AND group_id = $2';
const REMOVE_PARTS = `DELETE FROM group_part WHERE tenant_id = $1 AND (group_id = $2 OR (part = 'group' AND id = $2))`;
const REMOVE_GRANTS = `DELETE FROM access_grant WHERE tenant_id = $1 AND principal_kind = 'group' AND principal_id = $2`;
const REMOVE_PART = 'DELETE FROM group_part WHERE tenant_id = $1 AND group_id = $2 AND part = $3 AND id = $4';
const COUNT_PARTS = 'SELECT count(*) AS parts FROM group_part WHERE tenant_id = $1 AND group_id = $2 AND part = $3';
const MEMBER = 'SELECT 1 FROM member WHERE tenant_id = $1 AND user_id = $2';
const GROUP = 'SELECT 1 FROM user_group WHERE tenant_id = $1 AND group_id = $2';
const ADD_PART = `
INSERT INTO group_part (tenant_id, group_id, part, id) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, group_id, part, id) DO NOTHING`;
/** Groups that are reached from the group by way of those that it holds. */
const REACHED = `
WITH RECURSIVE reached AS (
  SELECT id FROM group_part WHERE tenant_id = $1 AND group_id = $2 AND part = 'group'
  UNION SELECT p.id FROM group_part p JOIN reached ON p.tenant_id = $1 AND p.group_id = reached.id AND p.part = 'group'
) SELECT 1 FROM reached WHERE id = $2`;

const GROUPS_MAX = 500;

@Injectable()
export class PostgresGroups extends GroupCatalog {
  readonly aggregate = groupAggregate;

  constructor(
    private readonly database: Database,
    private readonly tenants: TenantCatalog,
    private readonly roles: RoleCatalog,
  ) {
    super();
  }

  async project(
    sql: Sql,
    ref: GroupRef,
    { state, version, recordedAt, events }: Changed<GroupState, GroupEvent>,
  ): Promise<void> {
    const { tenantId, groupId } = ref;
    if (state.status === 'none') {
      for (const remove of [REMOVE_PARTS, REMOVE_GRANTS, REMOVE]) await sql.query(remove, [tenantId, groupId]);
      return;
    }
    await this.tenants.hold(sql, ref);
    await sql.query(UPSERT, [tenantId, groupId, state.name, version, state.createdAt, recordedAt]);
    const [{ groups }] = (await sql.query<{ groups: number }>(COUNT, [tenantId])).rows as [{ groups: number }];
    if (groups > GROUPS_MAX) throw authzError('too-many-groups', `A tenant may have ${GROUPS_MAX} groups.`);
    for (const { type, data } of events) {
      if (type === 'group.part-added') await this.add(sql, ref, data.part, data.id);
      if (type === 'group.part-removed') await sql.query(REMOVE_PART, [tenantId, groupId, data.part, data.id]);
    }
  }

  private async add(sql: Sql, ref: GroupRef, part: GroupPart, id: string): Promise<void> {
    const { tenantId, groupId } = ref;
    if (part === 'role') await this.roles.requireAll(tenantId, [id], sql);
    else if (part === 'user' && !(await sql.query(MEMBER, [tenantId, id])).rowCount) throw memberNotFound(id);
    else if (part === 'group' && !(await sql.query(GROUP, [tenantId, id])).rowCount) throw groupNotFound(id);
    await sql.query(ADD_PART, [tenantId, groupId, part, id]);
    const { rows } = await sql.query<{ parts: number }>(COUNT_PARTS, [tenantId, groupId, part]);
    if (rows[0]!.parts > PARTS_MAX[part])
      throw authzError('group-full', `A group may have ${PARTS_MAX[part]} ${part}s.`);
    if (part === 'group' && (await sql.query(REACHED, [tenantId, groupId])).rowCount) throw groupCycle(ref, id);
  }

  async find({ tenantId, groupId }: Named<GroupRef>): Promise<GroupView | undefined> {
    return (await this.database.query<GroupView>(FIND, [tenantId, groupId]))[0];
  }

  list(tenantId: string, afterId: string, limit: number): Promise<GroupView[]> {
    return this.database.query<GroupView>(LIST, [tenantId, afterId, limit]);
  }

  async parts(
    { tenantId, groupId }: Named<GroupRef>,
    part: GroupPart,
    afterId: string,
    limit: number,
  ): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(PARTS, [tenantId, groupId, part, afterId, limit]);
    return rows.map(({ id }) => id);
  }

  async hasPart({ tenantId, groupId }: Named<GroupRef>, part: GroupPart, id: string): Promise<boolean> {
    return (await this.database.query(HAS_PART, [tenantId, groupId, part, id])).length > 0;
  }
}
