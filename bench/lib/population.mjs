/** Fills the read models of users and permissions as if all of it had been created by requests, which would take hours. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BUILD } from './event-store.mjs';

const GRANTS_A_TENANT = 5_000;
/** The last of each tenant's grants go to groups. */
const GRANTS_TO_USERS = 4_900;
const USERS_A_TENANT = 1_000;
const GROUPS_A_TENANT = 20;
const KEYS_A_STATEMENT = 10_000;

const TENANT = (number) => `'tenant-' || (${number})`;
const USER = (number) => `'usr_' || lpad((${number})::text, 12, '0')`;
const TABLES = 'tenant, user_account, member, member_role, user_group, group_part, access_grant, api_key';

/** `$1`: how many users there are. Each is a member of one tenant, with a role and two groups. */
const FILL_USERS = [
  `INSERT INTO tenant (tenant_id, tenant_uid, name, state, version, created_at, updated_at)
   SELECT ${TENANT('i')}, gen_random_uuid(), 'Tenant', 'active', 1, 0, 0 FROM generate_series(0, $1::int / ${USERS_A_TENANT} - 1) i`,
  `INSERT INTO user_account (user_id, kind, email, name, state, password_signature, version, created_at, updated_at)
   SELECT ${USER('i')}, 'human', 'user-' || i || '@bench.example', 'User', 'active', '', 1, 0, 0 FROM generate_series(0, $1::int - 1) i`,
  `INSERT INTO member (tenant_id, user_id, version, created_at, updated_at)
   SELECT ${TENANT(`i / ${USERS_A_TENANT}`)}, ${USER('i')}, 1, 0, 0 FROM generate_series(0, $1::int - 1) i`,
  `INSERT INTO member_role (tenant_id, user_id, role_id, scope)
   SELECT ${TENANT(`i / ${USERS_A_TENANT}`)}, ${USER('i')}, (ARRAY['viewer', 'developer', 'publisher'])[i % 3 + 1], ''
   FROM generate_series(0, $1::int - 1) i`,
  `INSERT INTO user_group (tenant_id, group_id, name, version, created_at, updated_at)
   SELECT ${TENANT('t')}, 'group-' || g, 'Group', 1, 0, 0
   FROM generate_series(0, $1::int / ${USERS_A_TENANT} - 1) t, generate_series(0, ${GROUPS_A_TENANT - 1}) g`,
  `INSERT INTO group_part (tenant_id, group_id, part, id)
   SELECT ${TENANT(`i / ${USERS_A_TENANT}`)}, 'group-' || ((i + n * 7) % ${GROUPS_A_TENANT}), 'user', ${USER('i')}
   FROM generate_series(0, $1::int - 1) i, generate_series(0, 1) n`,
  `INSERT INTO group_part (tenant_id, group_id, part, id)
   SELECT ${TENANT('t')}, 'group-' || ((g - 1) / 3), 'group', 'group-' || g
   FROM generate_series(0, $1::int / ${USERS_A_TENANT} - 1) t, generate_series(1, ${GROUPS_A_TENANT - 1}) g`,
];

/** `$1` grants from `$2` on: every tenth is for topics by a wildcard, every fiftieth on a condition. */
const FILL_GRANTS = `
INSERT INTO access_grant (tenant_id, grant_id, principal_kind, principal_id, effect, actions, resource, constraints, version, created_at)
SELECT tenant, 'grt_' || i, CASE WHEN to_user THEN 'user' ELSE 'group' END,
  CASE WHEN to_user THEN ${USER(`i / ${GRANTS_A_TENANT} * ${USERS_A_TENANT} + nth % ${USERS_A_TENANT}`)}
    ELSE 'group-' || nth % ${GROUPS_A_TENANT} END,
  CASE WHEN i % 20 = 7 THEN 'deny' ELSE 'allow' END, '["event:publish","event:read"]',
  'tenants/' || tenant || '/namespaces/shop/topics/topic-' || i % 100 || CASE WHEN i % 10 = 3 THEN '*' ELSE '' END,
  CASE WHEN i % 50 = 11 THEN '{"eventTypes":["order.*"]}' END, 1, 0
FROM (
  SELECT i, i % ${GRANTS_A_TENANT} AS nth, i % ${GRANTS_A_TENANT} < ${GRANTS_TO_USERS} AS to_user, ${TENANT(`i / ${GRANTS_A_TENANT}`)} AS tenant
  FROM generate_series($2::int, $2::int + $1::int - 1) i
) AS counted`;

const ADD_KEYS = `
INSERT INTO api_key (key_id, user_id, name, digest, created_at, version, signature)
SELECT id, user_id, 'bench', digest, 0, 1, signature
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (id, user_id, digest, signature)`;
const UNBOUNDED = {
  previousDigest: null,
  previousEndsAt: null,
  scopes: null,
  actions: null,
  allowedCidrs: null,
  expiresAt: null,
};

const GRANTS_A_STATEMENT = 500_000;

/** Settled afterwards: no vacuum and no checkpoint remains that would disturb the measurement. */
export async function populate(client, { users, grants }) {
  for (const statement of FILL_USERS) await client.query(statement, [users]);
  for (let first = 0; first < grants; first += GRANTS_A_STATEMENT)
    await client.query(FILL_GRANTS, [Math.min(GRANTS_A_STATEMENT, grants - first), first]);
}

export async function settle(client) {
  await client.query(`VACUUM (ANALYZE) ${TABLES}`);
  await client.query('CHECKPOINT');
}

/** A key for each of the users, by number; returns requests with them that show the users their own tenants. `sign`: that of the store. */
export async function addKeys(client, userNumbers, sign) {
  const { newApiKey } = await import(join(BUILD, 'contexts/identity/domain/api-key-format.js'));
  const requests = [];
  for (let from = 0; from < userNumbers.length; from += KEYS_A_STATEMENT) {
    const part = userNumbers.slice(from, from + KEYS_A_STATEMENT);
    const keys = part.map(() => newApiKey('live'));
    const digests = keys.map(({ secret }) => createHash('sha256').update(secret).digest('hex'));
    const owners = part.map((number) => `usr_${String(number).padStart(12, '0')}`);
    const ids = keys.map(({ id }) => id);
    const signatures = ids.map((keyId, i) =>
      sign('apiKey', { keyId, userId: owners[i], digest: digests[i], ...UNBOUNDED }),
    );
    await client.query(ADD_KEYS, [ids, owners, digests, signatures]);
    for (const [i, { key }] of keys.entries()) {
      const path = `/tenants/tenant-${Math.floor(part[i] / USERS_A_TENANT)}`;
      requests.push({ method: 'GET', path, headers: { 'x-api-key': key } });
    }
  }
  return requests;
}
