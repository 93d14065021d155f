import { Injectable } from '@nestjs/common';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import { RuleStore, type PrincipalName, type PrincipalRules, type TenantRules } from '../application/ports.js';
import type { RoleAssignment } from '../domain/member.js';
import { GRANT_COLUMNS, toGrantView, type GrantRow } from './postgres-grants.js';

/** One statement each, so that all of it is of one moment. */
const TENANT_RULES: Statement = {
  name: 'rules-of-tenant',
  text: `
WITH roles AS (SELECT role_id AS "roleId", actions FROM role WHERE tenant_id = $1),
parts AS (SELECT group_id AS "groupId", part, id FROM group_part WHERE tenant_id = $1 AND part IN ('role', 'group')),
grants AS (SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND principal_kind IN ('role', 'group'))
SELECT coalesce((SELECT json_agg(row_to_json(roles)) FROM roles), '[]')::text AS roles,
  coalesce((SELECT json_agg(row_to_json(parts)) FROM parts), '[]')::text AS parts,
  coalesce((SELECT json_agg(row_to_json(grants)) FROM grants), '[]')::text AS grants`,
};
const PRINCIPAL_RULES: Statement = {
  name: 'rules-of-principal',
  text: `
WITH roles AS (SELECT role_id AS "roleId", scope FROM member_role WHERE tenant_id = $1 AND user_id = $3),
groups AS (SELECT group_id AS id FROM group_part WHERE tenant_id = $1 AND part = 'user' AND id = $3),
grants AS (SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND principal_kind = $2 AND principal_id = $3)
SELECT coalesce((SELECT json_agg(row_to_json(roles)) FROM roles), '[]')::text AS roles,
  coalesce((SELECT json_agg(row_to_json(groups)) FROM groups), '[]')::text AS groups,
  coalesce((SELECT json_agg(row_to_json(grants)) FROM grants), '[]')::text AS grants`,
};

type Read = <R extends object>(statement: Statement, values: unknown[]) => Promise<R[]>;

@Injectable()
export class PostgresRules extends RuleStore {
  private read: Read;

  constructor(database: Database) {
    super();
    this.read = (statement, values) => database.query(statement, values);
  }

  within(sql: Sql): RuleStore {
    const inside = Object.create(this) as PostgresRules;
    inside.read = async <R extends object>(statement: Statement, values: unknown[]) =>
      (await sql.query<R>({ ...statement, values })).rows;
    return inside;
  }

  async tenantRules(tenantId: string): Promise<TenantRules> {
    const [row] = await this.read<Record<'roles' | 'parts' | 'grants', string>>(TENANT_RULES, [tenantId]);
    const roles = JSON.parse(row!.roles) as { roleId: string; actions: string }[];
    const parts = JSON.parse(row!.parts) as { groupId: string; part: 'role' | 'group'; id: string }[];
    return {
      roles: roles.map(({ roleId, actions }) => ({ roleId, actions: JSON.parse(actions) as string[] })),
      groupRoles: parts.filter(({ part }) => part === 'role').map(({ groupId, id }) => ({ groupId, roleId: id })),
      nesting: parts.filter(({ part }) => part === 'group').map(({ groupId, id }) => ({ groupId, childId: id })),
      grants: (JSON.parse(row!.grants) as GrantRow[]).map(toGrantView),
    };
  }

  async principalRules(tenantId: string, { kind, id }: PrincipalName): Promise<PrincipalRules> {
    const [row] = await this.read<Record<'roles' | 'groups' | 'grants', string>>(PRINCIPAL_RULES, [tenantId, kind, id]);
    return {
      roles: JSON.parse(row!.roles) as RoleAssignment[],
      groups: (JSON.parse(row!.groups) as { id: string }[]).map((group) => group.id),
      grants: (JSON.parse(row!.grants) as GrantRow[]).map(toGrantView),
    };
  }
}
