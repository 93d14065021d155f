import { digest } from '../../src/platform/crypto/keys.js';
import { sharedApp } from '../support/server/app.js';
import { DAY_MS, inMs, keyPath, Keys, KEYS, type ApiKey, type Issued } from '../support/api/api-keys.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { bearer } from '../support/api/people.js';
import { connect } from '../support/server/postgres.js';
import { until, Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let client: Client;
let keys: Keys;
let shop: Workspace;

beforeAll(async () => {
  // Not with the first key, which ends after 30 days, as would the keys that it creates.
  const login = { email: app.adminEmail, password: app.adminPassword };
  const { body } = await app.client.with({}).post<{ accessToken: string }>('/auth/login', login);
  client = app.client.with(bearer(body.accessToken));
  keys = new Keys(client);
  shop = await Workspace.create(client);
});

const codeOf = ({ body }: Answer<unknown>): string => (body as Problem).code;

describe('an API key', () => {
  it('is created with its bounds, shown once, and works at once', async () => {
    const body = {
      name: 'checkout service',
      scopes: [{ tenant: shop.tenant, namespace: 'shop', topic: 'orders' }, { tenant: shop.tenant }],
      actions: ['event:publish', 'topic:*'],
      allowedCidrs: ['127.0.0.0/8', '2001:db8::/32'],
    };
    const answer = await client.post<Issued>(KEYS, body);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { key, ...created } = answer.body;
    expect(answer.headers.get('location')).toBe(`/users/${created.userId}/api-keys/${created.id}`);
    expect(key).toMatch(new RegExp(`^es_live_${created.id.slice('key_'.length)}_[0-9A-Za-z]{49}$`));
    expect(created).toMatchObject({ ...body, state: 'active', useCount: 0, lastUsedAt: null, lastUsedFrom: null });
    const lifetime = Date.parse(created.expiresAt!) - Date.parse(created.createdAt);
    expect(lifetime).toBe(90 * DAY_MS);
    const shown = await client.get<ApiKey>(answer.headers.get('location')!);
    expect(shown.body).toEqual(created);
    expect(shown.headers.get('etag')).toBe('"1"');
    expect(shown.text).not.toContain(key.slice(-20));
    expect(await keys.trying(key)).toBe(200);
    expect((await client.delete(keyPath(created))).status).toBe(204);
  });

  it('without bounds may do what its owner may; a null expiry means never', async () => {
    const { key, ...created } = await keys.create({ expiresAt: null });
    expect(created).toMatchObject({ scopes: null, actions: null, allowedCidrs: null, expiresAt: null });
    expect((await shop.through(keys.as(key)).tryPublish({ type: 't', data: 1 })).status).toBe(201);
    await keys.revoke(created);
  });

  it('is also accepted as `Authorization: ApiKey`', async () => {
    const { key, id } = await keys.create();
    expect((await client.with({ authorization: `ApiKey ${key}` }).get('/auth/me')).status).toBe(200);
    await client.delete(keyPath({ id }));
  });

  it('is created once for an Idempotency-Key; the repeated response must not be cached either', async () => {
    const headers = { 'idempotency-key': 'one-key' };
    const answers = [
      await client.post<Issued>(KEYS, { name: 'once' }, headers),
      await client.post<Issued>(KEYS, { name: 'once' }, headers),
    ];
    expect(answers[1]!.body).toEqual(answers[0]!.body);
    expect(answers.map((answer) => answer.headers.get('cache-control'))).toEqual(['no-store', 'no-store']);
    await client.delete(keyPath(answers[0]!.body));
  });

  it.each<[string, object, string[]]>([
    ['no name', { name: undefined }, ['/name']],
    ['an empty name', { name: '' }, ['/name']],
    ['a name with a line break', { name: 'a\nb' }, ['/name']],
    ['an unknown field', { owner: 'usr_1' }, ['/owner']],
    ['an id of its own', { id: 'key_000000000000' }, ['/id']],
    ['an unknown field in a scope', { scopes: [{ tenant: 'a', role: 'owner' }] }, ['/scopes/0/role']],
    ['a scope without a tenant', { scopes: [{ namespace: 'n' }] }, ['/scopes/0/tenant']],
    ['a topic without a namespace', { scopes: [{ tenant: 'a', topic: 't' }] }, ['/scopes/0/namespace']],
    ['a scope that is a pattern', { scopes: [{ tenant: '*' }] }, ['/scopes/0/tenant']],
    ['no scopes in the list', { scopes: [] }, ['/scopes']],
    ['too many scopes', { scopes: Array.from({ length: 21 }, () => ({ tenant: 'a' })) }, ['/scopes']],
    ['no actions in the list', { actions: [] }, ['/actions']],
    ['an action that does not exist', { actions: ['event:publish', 'event:burn'] }, ['/actions']],
    ['every action at all', { actions: ['*'] }, ['/actions']],
    ['too many actions', { actions: Array.from({ length: 65 }, () => 'event:read') }, ['/actions']],
    ['an end that is no time', { expiresAt: '2030-01-01' }, ['/expiresAt']],
    ['an end that is a number', { expiresAt: 1_900_000_000_000 }, ['/expiresAt']],
    ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, ['/expiresAt']],
    ['an end too far', { expiresAt: inMs(367 * DAY_MS) }, ['/expiresAt']],
    ['a range that is none', { allowedCidrs: ['10.0.0.0/33'] }, ['/allowedCidrs']],
    ['an address for a range', { allowedCidrs: ['10.0.0.1'] }, ['/allowedCidrs']],
    ['too many ranges', { allowedCidrs: Array.from({ length: 51 }, () => '10.0.0.0/8') }, ['/allowedCidrs']],
    ['two mistakes', { name: 1, actions: 'event:read' }, ['/name', '/actions']],
  ])('is refused with %s', async (_, body, pointers) => {
    const answer = await client.post(KEYS, { name: 'k', ...body });
    expect([answer.status, [...new Set(answer.body.errors?.map(({ pointer }) => pointer))]]).toEqual([400, pointers]);
  });

  it('has its life recorded in the log of keys, without secret, digest, name or addresses', async () => {
    const key = await keys.create({ name: 'told', allowedCidrs: ['127.0.0.0/8'] });
    const next = (await keys.rotate(key)).body;
    await keys.revoke(key);
    const log = '/tenants/$system/namespaces/$management/topics/api-keys/events';
    const answer = await client.get<Page<ReadEvent>>(`${log}?stream=${key.id}`);
    const life = answer.body.items.map(({ type, data }) => [type, data]);
    expect(life).toEqual([
      ['api-key.created', expect.objectContaining({ keyId: key.id, allowedCidrsCount: 1 })],
      ['api-key.rotated', expect.objectContaining({ keyId: key.id, expiresAt: Date.parse(key.expiresAt!) })],
      ['api-key.revoked', { keyId: key.id, userId: key.userId }],
    ]);
    const secrets = [key, next].flatMap(({ key: text }) => [text.slice(21, 64), digest(text.slice(21, 64))]);
    for (const hidden of [...secrets, '127.0.0.0', 'told']) expect(answer.text).not.toContain(hidden);
  });

  it('belongs to a user: it cannot be created for an unknown one, or found under another one', async () => {
    const nobody = '/users/usr_nobody/api-keys';
    for (const answer of [await client.post(nobody, { name: 'k' }), await client.get(nobody)])
      expect([answer.status, answer.body.code]).toEqual([404, 'user-not-found']);
    const key = await keys.create();
    for (const answer of [
      await client.get(`${nobody}/${key.id}`),
      await client.delete(`${nobody}/${key.id}`),
      await client.post(`${nobody}/${key.id}/rotate`, {}),
      await client.get(`${KEYS}/key_000000000000`),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'api-key-not-found']);
    expect(await keys.trying(key.key)).toBe(200);
    await keys.revoke(key);
  });
});

describe('the list of keys', () => {
  it('starts with the oldest, has pages, and does not contain the keys themselves', async () => {
    const made = [await keys.create({ name: 'a' }), await keys.create({ name: 'b' }), await keys.create({ name: 'c' })];
    const seen: ApiKey[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor && `&cursor=${encodeURIComponent(cursor)}`;
      const page: Answer<Page<ApiKey>> = await client.get<Page<ApiKey>>(`${KEYS}?limit=2${query}`);
      expect(page.text).not.toContain('es_live_');
      seen.push(...page.body.items);
      cursor = page.body.nextCursor;
    }
    expect(seen[0]!.name).toBe('first key');
    expect(seen.slice(-3).map(({ id }) => id)).toEqual(made.map(({ id }) => id));
    const other = (await client.get<Page<ApiKey>>(`${KEYS}?limit=1`)).body.nextCursor!;
    expect((await client.get(`${KEYS}?cursor=${other.slice(1)}`)).status).toBe(400);
    await keys.revoke(...made);
  });

  it('is limited to 50 keys per user, even with concurrent requests', async () => {
    const sql = await connect(app.connection);
    await sql.query(
      `INSERT INTO user_account (user_id, kind, email, name, state, password_hash, password_signature, version, created_at, updated_at)
       VALUES ('usr_many', 'human', 'many@example.test', 'Many', 'active', '', '', 1, 0, 0)`,
    );
    await sql.end();
    const many = '/users/usr_many/api-keys';
    const make = () => client.post<Issued & Problem>(many, { name: 'k', actions: ['user:read'] });
    // A few at a time up to the limit: 53 at once wait longer for a connection on a busy machine than the server lets them.
    for (let made = 0; made < 45; made += 5) await Promise.all(Array.from({ length: 5 }, make));
    const answers = await Promise.all(Array.from({ length: 8 }, make));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(
      Array.from({ length: 3 }, () => [409, 'api-key-limit-reached']),
    );
    const one = answers.find(({ status }) => status === 201)!.body;
    expect((await client.delete(`${many}/${one.id}`)).status).toBe(204);
    expect((await make()).status).toBe(201);
  });
});

describe('rotation', () => {
  it('keeps the old key valid until the end of the grace period', async () => {
    const old = await keys.create();
    const answer = await keys.rotate(old, { gracePeriodSeconds: 2 });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { key, ...rotated } = answer.body;
    expect(rotated).toMatchObject({ id: old.id, state: 'rotating', version: 2, expiresAt: old.expiresAt });
    expect([await keys.trying(old.key), await keys.trying(key)]).toEqual([200, 200]);
    await until(
      () => keys.trying(old.key),
      (status) => status === 401,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(rotated.previousExpiresAt!));
    expect(await keys.trying(key)).toBe(200);
    expect(await keys.show(old)).toMatchObject({ state: 'active', previousExpiresAt: null });
    await keys.revoke(old);
  });

  it('keeps the promised grace period: no other rotation is accepted before its end, except one that ends all old keys at once', async () => {
    const first = await keys.create();
    const second = (await keys.rotate(first)).body;
    const day = Date.parse(second.previousExpiresAt!) - Date.parse(second.rotatedAt!);
    expect(Math.abs(day - DAY_MS)).toBeLessThan(5_000);
    for (const body of [{}, { gracePeriodSeconds: 1 }, { gracePeriodSeconds: 0 }]) {
      const refused = await keys.rotate(first, body);
      expect([refused.status, codeOf(refused)]).toEqual([409, 'api-key-rotating']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await Promise.all([first, second].map(({ key }) => keys.trying(key)))).toEqual([200, 200]);
    const known = { 'if-match': `"${second.version}"` };
    const third = await client.post<Issued>(`${keyPath(first)}/rotate`, { gracePeriodSeconds: 0 }, known);
    const all = [first, second, third.body];
    expect(await Promise.all(all.map(({ key }) => keys.trying(key)))).toEqual([401, 401, 200]);
    await keys.revoke(first);
    expect(await Promise.all(all.map(({ key }) => keys.trying(key)))).toEqual([401, 401, 401]);
  });

  it.each([{ gracePeriodSeconds: 0 }, { gracePeriodSeconds: 60 }, {}])(
    'requested ten times at once returns one key, which works: %j',
    async (body) => {
      const key = await keys.create();
      const answers = await Promise.all(Array.from({ length: 10 }, () => keys.rotate(key, body)));
      const given = answers.filter(({ status }) => status === 200);
      const refusals = answers.filter(({ status }) => status !== 200).map(codeOf);
      expect([given.length, new Set(refusals)]).toEqual([1, new Set(['api-key-rotating'])]);
      expect(await keys.trying(given[0]!.body.key)).toBe(200);
      await keys.revoke(key);
    },
  );

  it('respects If-Match, and refuses invalid requests', async () => {
    const key = await keys.create();
    const stale = await client.post(`${keyPath(key)}/rotate`, {}, { 'if-match': '"7"' });
    expect([stale.status, stale.body.code]).toEqual([412, 'version-mismatch']);
    for (const body of [
      { gracePeriodSeconds: -1 },
      { gracePeriodSeconds: 604_801 },
      { gracePeriodSeconds: '60' },
      { gracePeriodSeconds: null },
      { grace: 1 },
      { expiresAt: '2020-01-01T00:00:00Z' },
    ])
      expect((await keys.rotate(key, body)).status).toBe(400);
    expect(await keys.trying(key.key)).toBe(200);
    await keys.revoke(key);
  });

  it('works for the first key, which is older than the log of keys', async () => {
    const [first] = (await client.get<Page<ApiKey>>(`${KEYS}?limit=1`)).body.items;
    expect(first).toMatchObject({ name: 'first key', version: 0 });
    expect(Date.parse(first!.expiresAt!) - Date.parse(first!.createdAt)).toBeLessThanOrEqual(30 * DAY_MS);
    const { body } = await keys.rotate(first!, { gracePeriodSeconds: 604_800 });
    expect(body).toMatchObject({
      id: first!.id,
      state: 'rotating',
      version: 2,
      createdAt: first!.createdAt,
      expiresAt: first!.expiresAt,
    });
    expect([await keys.trying(body.key), await keys.trying(app.apiKey)]).toEqual([200, 200]);
  });
});
