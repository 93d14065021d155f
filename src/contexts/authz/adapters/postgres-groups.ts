import { Injectable } from '@nestjs/common';
import type { Changed } from '../../../platform/event-log/index.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { TenantCatalog } from '../../tenancy/index.js';
import { GroupCatalog, RoleCatalog, type GroupView, type Named } from '../application/ports.js';
import type { Nesting } from '../domain/group-cycle.js';
import {
  groupAggregate,
  groupNotFound,
  type GroupEvent,
  type GroupFacts,
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
const COUNT_OTHER_PARTS = `
SELECT count(*) AS parts FROM group_part WHERE tenant_id = $1 AND group_id = $2 AND part = $3 AND id <> $4`;
const MEMBER = 'SELECT 1 FROM member WHERE tenant_id = $1 AND user_id = $2';
const GROUP = 'SELECT 1 FROM user_group WHERE tenant_id = $1 AND group_id = $2';
const ADD_PART = `
INSERT INTO group_part (tenant_id, group_id, part, id) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, group_id, part, id) DO NOTHING`;
const NESTING = `SELECT group_id AS "groupId", id AS "childId" FROM group_part WHERE tenant_id = $1 AND part = 'group'`;

const NOTHING_ASKED: GroupFacts = { groups: 0, otherParts: 0, nesting: [] };

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

  override async ask(
    sql: Sql,
    ref: GroupRef,
    { before, state, events }: Changed<GroupState, GroupEvent>,
  ): Promise<GroupFacts> {
    const { tenantId, groupId } = ref;
    if (state.status === 'none') return NOTHING_ASKED;
    await this.tenants.hold(sql, ref);
    if (before.status === 'none') {
      const { rows } = await sql.query<{ groups: number }>(COUNT, [tenantId]);
      return { ...NOTHING_ASKED, groups: rows[0]!.groups };
    }
    const added = events.find(({ type }) => type === 'group.part-added');
    if (added?.type !== 'group.part-added') return NOTHING_ASKED;
    const { part, id } = added.data;
    await this.requirePart(sql, tenantId, part, id);
    const { rows } = await sql.query<{ parts: number }>(COUNT_OTHER_PARTS, [tenantId, groupId, part, id]);
    const nesting = part === 'group' ? (await sql.query<Nesting>(NESTING, [tenantId])).rows : [];
    return { ...NOTHING_ASKED, otherParts: rows[0]!.parts, nesting };
  }

  private async requirePart(sql: Sql, tenantId: string, part: GroupPart, id: string): Promise<void> {
    if (part === 'role') await this.roles.requireAll(tenantId, [id], sql);
    else if (part === 'user' && !(await sql.query(MEMBER, [tenantId, id])).rowCount) throw memberNotFound(id);
    else if (part === 'group' && !(await sql.query(GROUP, [tenantId, id])).rowCount) throw groupNotFound(id);
  }

  async project(
    sql: Sql,
    { tenantId, groupId }: GroupRef,
    { state, version, recordedAt, events }: Changed<GroupState, GroupEvent>,
  ): Promise<void> {
    if (state.status === 'none') {
      for (const remove of [REMOVE_PARTS, REMOVE_GRANTS, REMOVE]) await sql.query(remove, [tenantId, groupId]);
      return;
    }
    await sql.query(UPSERT, [tenantId, groupId, state.name, version, state.createdAt, recordedAt]);
    for (const { type, data } of events) {
      if (type === 'group.part-added') await sql.query(ADD_PART, [tenantId, groupId, data.part, data.id]);
      if (type === 'group.part-removed') await sql.query(REMOVE_PART, [tenantId, groupId, data.part, data.id]);
    }
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
