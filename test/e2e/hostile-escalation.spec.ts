import { startApp } from '../support/server/app.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { newPerson, type Person } from '../support/api/strangers.js';
import { openDatabase } from '../support/server/postgres.js';
import { Workspace, type Page } from '../support/api/workspace.js';

// Its own: who is the last administrator is a question about the whole.
const app = await startApp();
const database = openDatabase(app.connection);
let shop: Workspace;
let tenant: string;
let person: Person;
let me: string;

beforeAll(async () => {
  me = (await app.client.get<{ id: string }>('/auth/me')).body.id;
});
afterAll(async () => {
  await database.close();
  await app.stop();
});
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
  person = await newPerson(app);
});

const code = async (client: Client, method: string, path: string, body?: object): Promise<string | number> => {
  const answer = await client.request(method, path, body);
  return answer.status < 300 ? answer.status : answer.body.code;
};
const join = (roles: string[], whom = person): Promise<Answer<Problem>> =>
  app.client.request('PUT', `${tenant}/members/${whom.userId}`, { roles });
const joinGroup = (group: string, whom = person): Promise<Answer<Problem>> =>
  app.client.request('PUT', `${tenant}/groups/${group}/members/${whom.userId}`);

describe('a user who may manage permissions', () => {
  it('gains none by it: not by a grant, a role, a change of a role, a group or a key', async () => {
    await app.client.post(`${tenant}/roles`, { id: 'clerk', actions: ['topic:read'] });
    for (const id of ['bosses', 'inner', 'team']) await app.client.post(`${tenant}/groups`, { id });
    await app.client.request('PUT', `${tenant}/groups/bosses/roles/owner`);
    await app.client.request('PUT', `${tenant}/groups/bosses/groups/inner`);
    await join(['admin', 'clerk']);
    await joinGroup('team');
    const grant = { effect: 'allow', actions: ['tenant:delete'], resource: `tenants/${shop.tenant}` };
    const attempts: [string, string, object?][] = [
      ['POST', `${tenant}/permissions`, { ...grant, principal: { user: person.userId } }],
      ['POST', `${tenant}/permissions`, { ...grant, principal: { group: 'team' } }],
      ['POST', `${tenant}/permissions`, { ...grant, principal: { role: 'clerk' } }],
      ['POST', `${tenant}/permissions`, { ...grant, principal: { apiKey: person.keyId } }],
      ['POST', `${tenant}/permissions`, { ...grant, principal: { user: person.userId }, actions: ['*'] }],
      ['POST', `${tenant}/roles`, { id: 'above', actions: ['tenant:delete'] }],
      ['PATCH', `${tenant}/roles/clerk`, { actions: ['topic:read', 'tenant:delete'] }],
      ['PUT', `${tenant}/members/${person.userId}`, { roles: ['owner'] }],
      ['PATCH', `${tenant}/members/${person.userId}`, { roles: ['admin', 'owner'] }],
      ['PUT', `${tenant}/users/${person.userId}/roles/owner`],
      ['PUT', `${tenant}/users/${person.userId}/roles/owner?namespace=shop`],
      ['PUT', `${tenant}/groups/bosses/members/${person.userId}`],
      ['PUT', `${tenant}/groups/inner/members/${person.userId}`],
      ['PUT', `${tenant}/groups/bosses/groups/team`],
      ['PUT', `${tenant}/groups/team/roles/owner`],
    ];
    for (const [method, path, body] of attempts)
      expect([method, path, body, await code(person.client, method, path, body)]).toEqual([
        method,
        path,
        body,
        'exceeds-own-permissions',
      ]);
    expect(await code(person.client, 'DELETE', `${tenant}?force=true`)).toBe('permission-denied');
    expect(await code(person.client, 'PUT', `/users/${person.userId}/roles/system-admin`)).toBe('permission-denied');
  });

  it('cannot lift a denial of rights that they do not hold otherwise, nor their own limits', async () => {
    await join(['admin']);
    const denial = { principal: { user: person.userId }, effect: 'deny', actions: ['event:read'] };
    const { body } = await app.client.post<{ id: string }>(`${tenant}/permissions`, {
      ...denial,
      resource: `tenants/${shop.tenant}`,
    });
    expect(await code(person.client, 'DELETE', `${tenant}/permissions/${body.id}`)).toBe('exceeds-own-permissions');
    expect(await code(person.client, 'GET', shop.events())).toBe('permission-denied');
  });

  it('makes a key no stronger: not by a new one, by rotation, or by a change', async () => {
    await join(['owner']);
    const limits = { actions: ['api-key:create', 'api-key:read', 'event:publish', 'permission:grant'] };
    const made = await person.client.post<{ id: string; key: string }>('/users/me/api-keys', { name: 'k', ...limits });
    const weak = app.client.with({ 'x-api-key': made.body.key });
    const path = `/users/me/api-keys/${made.body.id}`;
    expect(await code(weak, 'POST', '/users/me/api-keys', { name: 'more' })).toBe('api-key-exceeds-own');
    expect(await code(weak, 'POST', '/users/me/api-keys', { name: 'more', actions: ['event:*'] })).toBe(
      'api-key-exceeds-own',
    );
    expect(await code(weak, 'POST', `/users/me/api-keys/${person.keyId}/rotate`, {})).toBe('api-key-exceeds-own');
    const widening = { principal: { apiKey: made.body.id }, effect: 'allow', resource: `tenants/${shop.tenant}` };
    expect(await code(weak, 'POST', `${tenant}/permissions`, { ...widening, actions: ['event:read'] })).toBe(
      'exceeds-own-permissions',
    );
    for (const method of ['PATCH', 'PUT'])
      expect([404, 405]).toContain((await weak.request(method, path, { actions: null, scopes: null })).status);
    expect(await code(weak, 'GET', shop.events())).toBe('permission-denied');
  });
});

describe('the last', () => {
  const owners = async (): Promise<string[]> => {
    const { body } = await app.client.get<Page<{ userId: string; roles: { role: string }[] }>>(`${tenant}/members`);
    return body.items.filter((one) => JSON.stringify(one.roles).includes('owner')).map(({ userId }) => userId);
  };
  const remove = (userId: string) => code(app.client, 'DELETE', `${tenant}/members/${userId}`);
  const demote = (userId: string) => code(app.client, 'PATCH', `${tenant}/members/${userId}`, { roles: ['viewer'] });
  const take = (userId: string) => code(app.client, 'DELETE', `${tenant}/users/${userId}/roles/owner`);

  it.each([
    ['removed and removed', remove, remove],
    ['demoted and removed', demote, remove],
    ['demoted and demoted', demote, demote],
    ['deprived of the role and removed', take, remove],
  ])('owner stays when both are %s at once: exactly one is left, in every round', async (_, first, second) => {
    for (let round = 0; round < 5; round++) {
      await join(['owner']);
      const answers = await Promise.all([first(me), second(person.userId)]);
      // The second is refused as the last owner, or because its caller has just lost the right.
      const refused = answers.filter((answer) => answer !== 200 && answer !== 204);
      expect([['last-holder'], ['exceeds-own-permissions']]).toContainEqual(refused);
      const left = await owners();
      expect(left).toHaveLength(1);
      const back = left[0] === me ? app.client : person.client;
      expect(await code(back, 'PUT', `${tenant}/members/${me}`, { roles: ['owner'] })).toBe(200);
    }
  });

  it('active administrator stays: a suspended one does not count, also when both happen at once', async () => {
    expect(await code(app.client, 'PUT', `/users/${person.userId}/roles/system-admin`)).toBe(200);
    expect(await code(app.client, 'POST', `/users/${person.userId}/suspend`, {})).toBe(200);
    expect(await code(app.client, 'DELETE', `/users/${me}/roles/system-admin`)).toBe('last-holder');
    expect(await code(app.client, 'POST', `/users/${person.userId}/activate`)).toBe(200);
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all([
        code(app.client, 'POST', `/users/${person.userId}/suspend`, {}),
        code(person.client, 'DELETE', `/users/${me}/roles/system-admin`),
      ]);
      expect(answers.filter((answer) => answer === 200 || answer === 204)).toHaveLength(1);
      const restored = await Promise.all([
        code(app.client, 'POST', `/users/${person.userId}/activate`),
        code(person.client, 'PUT', `/users/${me}/roles/system-admin`),
      ]);
      expect(restored.filter((answer) => answer === 200 || answer === 204).length).toBeGreaterThan(0);
    }
    expect(await code(app.client, 'DELETE', `/users/${person.userId}/roles/system-admin`)).toBe(204);
  });

  it('active owner of a tenant stays, too, while the other one is suspended', async () => {
    await join(['owner']);
    expect(await code(app.client, 'POST', `/users/${person.userId}/suspend`, {})).toBe(200);
    expect([await remove(me), await demote(me), await take(me)]).toEqual(['last-holder', 'last-holder', 'last-holder']);
    expect(await code(app.client, 'POST', `/users/${person.userId}/activate`)).toBe(200);
    expect(await remove(me)).toBe(204);
  });
});

describe('structures that grow or form a cycle', () => {
  it('are refused: a group in itself, through others, also when two changes close the cycle at once', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await app.client.post(`${tenant}/groups`, { id });
    const put = (outer: string, inner: string) => code(app.client, 'PUT', `${tenant}/groups/${outer}/groups/${inner}`);
    expect([await put('a', 'b'), await put('b', 'c')]).toEqual([204, 204]);
    expect([await put('a', 'a'), await put('b', 'a'), await put('c', 'a')]).toEqual(Array(3).fill('group-cycle'));
    const both = await Promise.all([put('c', 'd'), put('d', 'a')]);
    expect(both.toSorted()).toEqual([204, 'group-cycle']);
  });

  it('cost callers nothing: with the maximum of grants and groups a check takes as long', async () => {
    await join([]);
    const resource = (topic: string) => `tenants/${shop.tenant}/namespaces/shop/topics/${topic}`;
    const grant = (topic: string) =>
      code(app.client, 'POST', `${tenant}/permissions`, {
        principal: { user: person.userId },
        effect: 'allow',
        actions: ['event:read'],
        resource: resource(topic),
      });
    expect(await grant('orders')).toBe(201);
    const few = await medianMs();
    await app.client.post(`${tenant}/groups`, { id: 'innermost' });
    await fill(180, 479);
    expect(await inParallel(30, (n) => grant(`orders-${n}*`))).toEqual(answersOf(19, 30, 'too-many-grants'));
    const group = (n: number) => code(app.client, 'POST', `${tenant}/groups`, { id: `new-${n}` });
    expect(await inParallel(30, group)).toEqual(answersOf(20, 30, 'too-many-groups'));
    expect((await joinGroup('innermost')).status).toBe(204);
    const many = await medianMs();
    expect(many).toBeLessThan(3 * few + 2);
  });

  const answersOf = (made: number, all: number, refusal: string): unknown[] => [
    ...Array.from({ length: made }, () => 201),
    ...Array.from({ length: all - made }, () => refusal),
  ];
  const inParallel = async (count: number, act: (n: number) => Promise<string | number>): Promise<unknown[]> =>
    (await Promise.all(Array.from({ length: count }, (_, n) => act(n)))).toSorted();

  /** Almost the maximum, with fifty nested groups; one at a time it would take a minute. */
  async function fill(grants: number, groups: number): Promise<void> {
    for (const [name, text, values] of [
      [
        'test-grants',
        `INSERT INTO access_grant SELECT $1, 'grt_' || n, 'user', $2, 'allow', '["event:read"]',
           'tenants/' || $1 || '/namespaces/shop/topics/x' || n || '*', NULL, 1, 1 FROM generate_series(1, $3::int) n`,
        [shop.tenant, person.userId, grants],
      ],
      [
        'test-groups',
        `INSERT INTO user_group SELECT $1, 'g' || n, 'g', 1, 1, 1 FROM generate_series(1, $2::int) n`,
        [shop.tenant, groups],
      ],
      [
        'test-nesting',
        `INSERT INTO group_part SELECT $1, 'g' || n, 'group', CASE n WHEN 1 THEN 'innermost' ELSE 'g' || n - 1 END
           FROM generate_series(1, 50) n`,
        [shop.tenant],
      ],
      [
        'test-grants-of-groups',
        `INSERT INTO access_grant SELECT $1, 'grt_g' || n, 'group', 'g' || n, 'allow', '["event:read"]',
           'tenants/' || $1 || '/namespaces/y' || n || '*', NULL, 1, 1 FROM generate_series(1, 50) n`,
        [shop.tenant],
      ],
    ] as [string, string, unknown[]][])
      await database.query({ name, text }, values);
  }

  async function medianMs(): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < 60; n++) {
      const begin = performance.now();
      expect((await person.client.get(shop.events())).status).toBe(200);
      times.push(performance.now() - begin);
    }
    return times.toSorted((a, b) => a - b)[30]!;
  }
});
