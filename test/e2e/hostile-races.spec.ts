import { randomBytes } from 'node:crypto';
import type { Client as PgClient } from 'pg';
import { MANAGEMENT_TOPICS } from '../../src/kernel/aggregate.js';
import { inMs, type Issued } from '../support/api/api-keys.js';
import { startApp, type TestApp } from '../support/server/app.js';
import { must, type Client } from '../support/api/client.js';
import { bearer, newPassword, Person as Human, type Tokens } from '../support/api/people.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { newPerson, type Person } from '../support/api/strangers.js';

/**
 * Kind C of the security review: what was checked before is checked again on the state that is changed, at that position of the log. Two
 * changes that both pass the check, and then run one after the other, end as if the second had been requested after the first.
 */

let store: TestDatabase;
let gate: PgClient;
let app: TestApp;
let root: Client;
/** An owner and administrator of each tenant, who may lose the role. */
let x: Person;
let friend: Person;

beforeAll(async () => {
  store = await createTestDatabase();
  gate = await connect(store.connection);
  app = await startApp({ connection: store.connection });
  root = app.client;
  [x, friend] = [await newPerson(app), await newPerson(app)];
});
afterAll(async () => {
  await app?.stop();
  await gate?.end();
  await store?.drop();
});

interface Call {
  readonly by: () => Client;
  readonly method: string;
  /** A path within the tenant, unless it starts with the root. */
  readonly path: string;
  readonly body?: object;
}

const byRoot = () => root;
const byX = () => x.client;
const FRIEND = '{friend}';
const X = '{x}';

const CHANGES: Readonly<Record<string, Call>> = {
  'x is demoted': { by: byRoot, method: 'PATCH', path: `members/${X}`, body: { roles: ['viewer'] } },
  'x is removed': { by: byRoot, method: 'DELETE', path: `members/${X}` },
  'x is suspended': { by: byRoot, method: 'POST', path: `/users/${X}/suspend`, body: {} },
  'x asks for what they have': { by: byX, method: 'PUT', path: `members/${X}`, body: { roles: ['owner', 'admin'] } },
  'x makes a friend an admin': { by: byX, method: 'PUT', path: `members/${FRIEND}`, body: { roles: ['admin'] } },
  'x puts a friend into the group': { by: byX, method: 'PUT', path: `groups/team/members/${FRIEND}` },
  'x gives the group a role': { by: byX, method: 'PUT', path: 'groups/team/roles/clerk' },
  'x grants to the group': {
    by: byX,
    method: 'POST',
    path: 'permissions',
    body: { principal: { group: 'team' }, effect: 'allow', actions: ['topic:delete'], resource: 'tenants/{tenant}' },
  },
  'x widens the role': {
    by: byX,
    method: 'PATCH',
    path: 'roles/clerk',
    body: { actions: ['topic:read', 'topic:delete'] },
  },
  'x makes a namespace': { by: byX, method: 'POST', path: 'namespaces', body: { id: 'mine' } },
  'x renames the tenant': { by: byX, method: 'PATCH', path: '', body: { name: 'Of x' } },
  'the friend is removed': { by: byRoot, method: 'DELETE', path: `members/${FRIEND}` },
  'the group is deleted': { by: byRoot, method: 'DELETE', path: 'groups/team' },
  'the role is deleted': { by: byRoot, method: 'DELETE', path: 'roles/clerk' },
  'the tenant is suspended': { by: byRoot, method: 'POST', path: 'suspend', body: {} },
};

/** The log that a change waits for. */
function logOf({ path }: Call): string {
  if (path.startsWith('/users/')) return 'users';
  if (path === '' || path === 'suspend') return 'tenants';
  return path === 'namespaces' ? 'namespaces' : 'permissions';
}

async function world(): Promise<string> {
  const tenant = `t-${randomBytes(5).toString('hex')}`;
  const path = `/tenants/${tenant}`;
  await must(root, 'POST', `/users/${x.userId}/activate`);
  await must(root, 'POST', '/tenants', { id: tenant });
  await must(root, 'PUT', `${path}/members/${x.userId}`, { roles: ['owner', 'admin'] });
  await must(root, 'PUT', `${path}/members/${friend.userId}`, { roles: [] });
  await must(root, 'POST', `${path}/roles`, { id: 'clerk', actions: ['topic:read'] });
  await must(root, 'POST', `${path}/groups`, { id: 'team' });
  return tenant;
}

/** Whether the change succeeded. */
async function call({ by, method, path, body }: Call, tenant: string): Promise<boolean> {
  const filled = (text: string): string =>
    text.replaceAll(X, x.userId).replaceAll(FRIEND, friend.userId).replaceAll('{tenant}', tenant);
  const at = path.startsWith('/') ? path : `/tenants/${tenant}${path && `/${path}`}`;
  const payload = body && (JSON.parse(filled(JSON.stringify(body))) as object);
  const { status, text } = await by().request(method, filled(at), payload);
  if (status >= 500) throw new Error(`${method} ${path}: ${text}`);
  return status < 300;
}

/** All rights in the tenant, and its name. One statement, since it runs about five hundred times. */
const PERMITTED = `
SELECT json_build_object(
  'members', (SELECT json_agg(json_build_array(user_id, ARRAY(SELECT role_id || scope FROM member_role r
    WHERE r.tenant_id = $1 AND r.user_id = m.user_id ORDER BY 1)) ORDER BY user_id) FROM member m WHERE m.tenant_id = $1),
  'groups', (SELECT json_agg(group_id) FROM user_group WHERE tenant_id = $1),
  'parts', (SELECT json_agg(part || id ORDER BY part, id) FROM group_part WHERE tenant_id = $1),
  'roles', (SELECT json_agg(role_id || actions ORDER BY role_id) FROM role WHERE tenant_id = $1),
  'grants', (SELECT json_agg(principal_kind || principal_id || actions ORDER BY grant_id) FROM access_grant WHERE tenant_id = $1),
  'namespaces', (SELECT json_agg(namespace_id) FROM namespace WHERE tenant_id = $1),
  'tenant', (SELECT state || CASE WHEN name = $1 THEN ' as it was' ELSE name END FROM tenant WHERE tenant_id = $1)
)::text AS permitted`;

async function permitted(tenant: string): Promise<string> {
  const { rows } = await gate.query<{ permitted: string }>(PERMITTED, [tenant]);
  return rows[0]!.permitted;
}

const outcomeOf = (done: readonly boolean[], left: string): string => `${JSON.stringify(done)} ${left}`;

const names = Object.keys(CHANGES);

/**
 * Both pass the check before either runs: they wait for the head of their log, in order. `overtaken`: the second has nothing to change in
 * this state, and has got its response meanwhile.
 */
async function inLine(first: Call, second: Call, tenant: string): Promise<{ done: boolean[]; overtaken: boolean }> {
  await gate.query('BEGIN');
  await gate.query(`SELECT 1 FROM topic_head WHERE tenant_id = '$system' FOR UPDATE`);
  const under: Promise<boolean>[] = [];
  const answered: Call[] = [];
  for (const change of [first, second]) {
    under.push(call(change, tenant).finally(() => answered.push(change)));
    while ((await waiting()) < under.length - answered.length) continue;
  }
  const overtaken = answered[0] === second;
  await gate.query('COMMIT');
  return { done: await Promise.all(under), overtaken };
}

async function waiting(): Promise<number> {
  const { rows } = await gate.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]!.count;
}

it.each(names)(
  '%s: a change that was let in earlier but runs after it ends as if it was requested after it',
  async (name) => {
    const first = CHANGES[name]!;
    for (const other of names.filter((one) => one !== name)) {
      const second = CHANGES[other]!;
      const raced = await world();
      const { done, overtaken } = await inLine(first, second, raced);
      const found = outcomeOf(done, await permitted(raced));
      const expected: string[] = [];
      if (!overtaken) expected.push(await inOrder(name, other));
      // If they wait for different logs, neither waits for the other.
      if (overtaken || logOf(first) !== logOf(second)) expected.push(await inOrder(other, name, true));
      expect([name, other, expected]).toEqual([name, other, expect.arrayContaining([found])]);
    }
  },
  60_000,
);

const orders = new Map<string, { readonly done: boolean[]; readonly left: string }>();

/** The state after one runs after the other; computed once. `swapped`: the other is listed first. */
async function inOrder(one: string, other: string, swapped = false): Promise<string> {
  const name = `${one}, ${other}`;
  if (!orders.has(name)) {
    const tenant = await world();
    const done = [await call(CHANGES[one]!, tenant), await call(CHANGES[other]!, tenant)];
    orders.set(name, { done, left: await permitted(tenant) });
  }
  const { done, left } = orders.get(name)!;
  return outcomeOf(swapped ? done.toReversed() : done, left);
}

it('a demoted or removed user does not come back by requesting their current rights again and again', async () => {
  for (const how of ['x is demoted', 'x is removed'] as const) {
    for (let round = 0; round < 5; round++) {
      const tenant = await world();
      const asking = new AbortController();
      const loops = Array.from({ length: 12 }, async () => {
        while (!asking.signal.aborted) await call(CHANGES['x asks for what they have']!, tenant);
      });
      expect(await call(CHANGES[how]!, tenant)).toBe(true);
      asking.abort();
      await Promise.all(loops);
      const { body } = await root.get<{ roles: string[] }>(`/tenants/${tenant}/members/${x.userId}`);
      expect([how, body.roles]).toEqual([how, how === 'x is demoted' ? ['viewer'] : undefined]);
    }
  }
});

/** Calls that pass the check, then wait for the head of a log in this order, while another change runs. */
async function heldBack<T>(log: string, calls: (() => Promise<T>)[], meanwhile = async () => {}): Promise<T[]> {
  await gate.query('BEGIN');
  await gate.query(`SELECT 1 FROM topic_head WHERE tenant_id = '$system' AND topic_uid = $1 FOR UPDATE`, [log]);
  const under: Promise<T>[] = [];
  for (const one of calls) {
    under.push(one());
    while ((await waiting()) < under.length) continue;
  }
  await meanwhile();
  await gate.query('COMMIT');
  return Promise.all(under);
}

it('rights beyond the permission of the route are checked again: a limit is not lifted after the right is gone', async () => {
  const tenant = await world();
  const limits = { principal: { user: x.userId }, effect: 'allow', actions: ['tenant:limit'] };
  const { body: grant } = await root.post<{ id: string }>('/permissions', { ...limits, resource: `tenants/${tenant}` });
  const lift = async (): Promise<number> =>
    (await x.client.patch(`/tenants/${tenant}`, { limits: { topics: 5 } })).status;
  expect(await lift()).toBe(200);
  const revoke = (): Promise<void> => must(root, 'DELETE', `/permissions/${grant.id}`);
  const again = (): Promise<number> =>
    x.client.patch(`/tenants/${tenant}`, { limits: { topics: 6 } }).then(({ status }) => status);
  expect(await heldBack(MANAGEMENT_TOPICS.tenants, [again], revoke)).toEqual([403]);
});

it('a password is not changed by a client that knows only the previous one', async () => {
  const person = await Human.create(app);
  const [own, stolen] = [await person.login(), await person.login()];
  const [next, thief] = [newPassword(), newPassword()];
  const change = (tokens: Tokens, newer: string) => async (): Promise<unknown> => {
    const body = { currentPassword: person.password, newPassword: newer };
    const answer = await person.anonymous.post('/auth/password/change', body, bearer(tokens.accessToken));
    return answer.body?.code ?? answer.status;
  };
  const answers = await heldBack(MANAGEMENT_TOPICS.users, [change(own, next), change(stolen, thief)]);
  expect(answers).toEqual([204, 'password-wrong']);
  expect([(await person.tryLogin(next)).status, (await person.tryLogin(thief)).status]).toEqual([200, 401]);
});

it.each([
  ['at once', 0, 'unauthenticated'],
  ['in an hour', 3_600, 201],
])(
  'a key whose secret ends %s with its rotation creates others until then',
  async (_, gracePeriodSeconds, expected) => {
    const keys = '/users/me/api-keys';
    const person = await Human.create(app);
    const login = person.anonymous.with(bearer((await person.login()).accessToken));
    const { id, key } = (await login.post<Issued>(keys, { name: 'leaked' })).body;
    const rotate = async (): Promise<unknown> =>
      (await login.post(`${keys}/${id}/rotate`, { gracePeriodSeconds })).status;
    const make = async (): Promise<unknown> => {
      const { status, body } = await app.client.with({ 'x-api-key': key }).post(keys, { name: 'more' });
      return body.code ?? status;
    };
    expect(await heldBack(MANAGEMENT_TOPICS.apiKeys, [rotate, make])).toEqual([200, expected]);
  },
);

it('a key does not rotate another one that by then lives longer', async () => {
  const day = 86_400_000;
  const keys = '/users/me/api-keys';
  const person = await Human.create(app);
  const login = person.anonymous.with(bearer((await person.login()).accessToken));
  const [short, other] = await Promise.all(
    [2 * day, day].map(async (ms) => (await login.post<Issued>(keys, { name: 'k', expiresAt: inMs(ms) })).body),
  );
  const rotate = (client: Client, body: object) => async (): Promise<unknown> => {
    const answer = await client.post(`${keys}/${other!.id}/rotate`, body);
    return answer.body.code ?? answer.status;
  };
  const byKey = app.client.with({ 'x-api-key': short!.key });
  const calls = [rotate(login, { expiresAt: inMs(300 * day), gracePeriodSeconds: 0 }), rotate(byKey, {})];
  expect(await heldBack(MANAGEMENT_TOPICS.apiKeys, calls)).toEqual([200, 'api-key-exceeds-own']);
});
