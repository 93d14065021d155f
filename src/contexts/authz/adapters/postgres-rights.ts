import { Injectable } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Sql, Statement } from '../../../platform/postgres/database.js';
import { RightsCatalog, type GrantView } from '../application/ports.js';
import { GRANT_COLUMNS, toGrantView, type GrantRow } from './postgres-grants.js';

/** By tenant, with one index lookup each: an index by key alone would be carried by every grant to a user, too. */
const TO_KEY: Statement = {
  name: 'grants-to-api-key',
  text: `
SELECT ${GRANT_COLUMNS} FROM access_grant
WHERE tenant_id = ANY (ARRAY(SELECT tenant_id FROM tenant) || $2::text) AND principal_kind = 'apiKey' AND principal_id = $1`,
};
const TO_KEYS_OF: Statement = {
  name: 'grants-to-keys-of-user',
  text: `
SELECT ${GRANT_COLUMNS} FROM access_grant WHERE tenant_id = $1 AND principal_kind = 'apiKey'
  AND principal_id = ANY (ARRAY(SELECT key_id FROM api_key WHERE user_id = $2))`,
};
/** Per tenant three index lookups, one of them also for each key. */
const PLACES_OF: Statement = {
  name: 'rules-places-of-user',
  text: `
SELECT t.tenant_id AS "tenantId" FROM (SELECT tenant_id FROM tenant UNION ALL SELECT $2::text) t
WHERE EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = t.tenant_id AND m.user_id = $1)
  OR EXISTS (SELECT 1 FROM group_part p WHERE p.tenant_id = t.tenant_id AND p.part = 'user' AND p.id = $1)
  OR EXISTS (SELECT 1 FROM access_grant g WHERE g.tenant_id = t.tenant_id AND g.principal_kind = 'user' AND g.principal_id = $1)
  OR EXISTS (SELECT 1 FROM access_grant g WHERE g.tenant_id = t.tenant_id AND g.principal_kind = 'apiKey'
    AND g.principal_id = ANY (ARRAY(SELECT key_id FROM api_key WHERE user_id = $1)))
ORDER BY t.tenant_id`,
};

@Injectable()
export class PostgresRights extends RightsCatalog {
  async tenantsWithRulesFor(sql: Sql, userId: string): Promise<string[]> {
    const { rows } = await sql.query<{ tenantId: string }>({ ...PLACES_OF, values: [userId, SYSTEM_TENANT] });
    return rows.map(({ tenantId }) => tenantId);
  }

  async grantsToKey(sql: Sql, keyId: string): Promise<GrantView[]> {
    return (await sql.query<GrantRow>({ ...TO_KEY, values: [keyId, SYSTEM_TENANT] })).rows.map(toGrantView);
  }

  async grantsToKeysOf(sql: Sql, tenantId: string, userId: string): Promise<GrantView[]> {
    return (await sql.query<GrantRow>({ ...TO_KEYS_OF, values: [tenantId, userId] })).rows.map(toGrantView);
  }
}
