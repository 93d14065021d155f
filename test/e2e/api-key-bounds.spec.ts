import { crc32 } from 'node:zlib';
import { sharedApp, startProcess, type AppOptions, type TestApp, type TestProcess } from '../support/server/app.js';
import { DAY_MS, inMs, keyPath, Keys, KEYS, type ApiKey } from '../support/api/api-keys.js';
import type { Client, Problem } from '../support/api/client.js';
import { createTestDatabase } from '../support/server/postgres.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { until, Workspace, type Page } from '../support/api/workspace.js';

const app = await sharedApp();
let client: Client;
let keys: Keys;
let shop: Workspace;

beforeAll(async () => {
  client = app.client;
  keys = new Keys(client);
  shop = await Workspace.create(client);
});

describe('a key stops working', () => {
  it('with its revocation, before the response', async () => {
    for (let i = 0; i < 20; i++) {
      const key = await keys.create();
      expect(await keys.trying(key.key)).toBe(200);
      expect((await client.delete(keyPath(key))).status).toBe(204);
      expect(await keys.trying(key.key)).toBe(401);
      expect((await client.get(keyPath(key))).status).toBe(404);
    }
    const again = await keys.create();
    await keys.revoke(again);
    expect((await client.delete(keyPath(again))).status).toBe(404);
  });

  it('at its end, to the millisecond of the clock, without allowance for skew, although it was just used', async () => {
    const key = await keys.create({ expiresAt: inMs(1_500) });
    expect(await keys.trying(key.key)).toBe(200);
    await until(
      () => keys.trying(key.key),
      (status) => status === 401,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(key.expiresAt!));
    expect((await keys.show(key)).state).toBe('expired');
    const refused = await keys.rotate(key);
    expect([refused.status, (refused.body as unknown as Problem).code]).toEqual([409, 'api-key-expired']);
    const renewed = await keys.rotate(key, { expiresAt: inMs(DAY_MS) });
    expect([await keys.trying(renewed.body.key), await keys.trying(key.key)]).toEqual([200, 401]);
    await keys.revoke(key);
  });

  it('from other addresses than its own, although it was just used from one of those', async () => {
    const key = await keys.create({ allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'] });
    const statuses = [];
    for (const from of [
      '203.0.113.9',
      '203.0.114.9',
      '::ffff:203.0.113.7',
      '2001:db8:1::1',
      '2001:db9::1',
      '203.0.113.9',
    ])
      statuses.push(await keys.trying(key.key, from));
    expect(statuses).toEqual([200, 401, 200, 200, 401, 200]);
    expect(await keys.trying(key.key)).toBe(401);
    // Also on routes that check credentials before the body.
    const publish = (from: string) => shop.through(keys.as(key.key, from)).tryPublish({ type: 't', data: 1 });
    expect([(await publish('203.0.113.9')).status, (await publish('203.0.114.9')).status]).toEqual([201, 401]);
    await keys.revoke(key);
  });
});

describe('a key that creates keys', () => {
  it('cannot give a key more than it has itself: neither a new one nor by rotation', async () => {
    const bounds = { actions: ['api-key:create', 'api-key:read', 'event:publish'], allowedCidrs: ['127.0.0.0/8'] };
    const own = await keys.create({ ...bounds, expiresAt: inMs(DAY_MS) });
    const by = keys.as(own.key);
    for (const [body, pointers] of [
      [{}, ['/actions', '/allowedCidrs']],
      [{ ...bounds, actions: ['event:*'] }, ['/actions/0']],
      [{ ...bounds, actions: ['event:publish', 'topic:delete'] }, ['/actions/1']],
      [{ ...bounds, allowedCidrs: ['127.0.0.0/7'] }, ['/allowedCidrs/0']],
      [{ ...bounds, expiresAt: null }, ['/expiresAt']],
      [{ ...bounds, expiresAt: inMs(2 * DAY_MS) }, ['/expiresAt']],
    ] as const) {
      const answer = await by.post(KEYS, { name: 'more', ...body });
      expect([answer.status, answer.body.code]).toEqual([403, 'api-key-exceeds-own']);
      expect(answer.body.errors!.map(({ pointer }) => pointer)).toEqual(pointers);
    }
    const stronger = await keys.create();
    const stolen = await by.post(`${keyPath(stronger)}/rotate`, {});
    expect([stolen.status, stolen.body.code]).toEqual([403, 'api-key-exceeds-own']);
    const longer = await by.post(`${keyPath(own)}/rotate`, { expiresAt: inMs(2 * DAY_MS) });
    expect([longer.status, longer.body.code]).toEqual([403, 'api-key-exceeds-own']);

    const less = await new Keys(by).create({ ...bounds, actions: ['event:publish'] });
    expect(less.expiresAt).toBe(own.expiresAt);
    expect((await by.post(`${keyPath(own)}/rotate`, {})).status).toBe(200);
    await keys.revoke(own, stronger, less);
  });

  it('is limited to its own bounds, in other scopes as well', async () => {
    const other = await Workspace.create(client);
    const key = await keys.create({
      scopes: [{ tenant: shop.tenant, namespace: 'shop', topic: 'orders' }],
      actions: ['event:publish'],
    });
    const by = keys.as(key.key);
    expect((await shop.through(by).tryPublish({ type: 't', data: 1 })).status).toBe(201);
    for (const answer of [
      await by.get(shop.events()),
      await by.get(other.events()),
      await other.through(by).tryPublish({ type: 't', data: 1 }),
      await by.post(KEYS, { name: 'k' }),
      await by.delete(keyPath(key)),
    ])
      expect([403, 404]).toContain(answer.status);
    await keys.revoke(key);
  });
});

/** A key in the right format and with a valid checksum, as an attacker who knows the format can make it, with any id and secret. */
function invented(id: string, secret: string): string {
  const body = `es_live_${id}_${secret}`;
  const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let rest = crc32(body);
  let checksum = '';
  for (let i = 0; i < 6; i++, rest = Math.floor(rest / 62)) checksum = BASE62[rest % 62] + checksum;
  return body + checksum;
}

describe('an invalid key', () => {
  it('gets the same 401, whatever is wrong with it', async () => {
    const [right, revoked, expired, rotated, elsewhere] = [
      await keys.create(),
      await keys.create(),
      await keys.create({ expiresAt: inMs(300) }),
      await keys.create(),
      await keys.create({ allowedCidrs: ['203.0.113.0/24'] }),
    ];
    await keys.revoke(revoked);
    await keys.rotate(rotated, { gracePeriodSeconds: 0 });
    await until(
      () => keys.show(expired),
      ({ state }) => state === 'expired',
    );
    const id = right.id.slice('key_'.length);
    const wrong = {
      revoked: revoked.key,
      expired: expired.key,
      rotated: rotated.key,
      elsewhere: elsewhere.key,
      'unknown id': invented('000000000000', 'x'.repeat(43)),
      'wrong secret': invented(id, 'x'.repeat(43)),
      'wrong checksum': right.key.slice(0, -1) + (right.key.endsWith('0') ? '1' : '0'),
      truncated: right.key.slice(0, -1),
      'other environment': right.key.replace('live', 'test'),
      'in lower case': right.key.toLowerCase(),
      twice: `${right.key}, ${right.key}`,
      'of 4 kB': right.key.repeat(60),
      empty: '',
      'with another prefix': right.key.replace('es_', 'evs_'),
      'with white space inside': `${right.key.slice(0, 30)} ${right.key.slice(30)}`,
      'with a letter that looks like one': right.key.replace('live', 'lïve'),
      'the id alone': right.id,
    };
    const answers = await Promise.all(
      Object.entries(wrong).map(async ([name, key]) => {
        const { status, body, headers } = await keys.as(key).get('/auth/me', { 'x-correlation-id': 'one' });
        return [name, { status, body, challenge: headers.get('www-authenticate') }];
      }),
    );
    const one = {
      status: 401,
      body: expect.objectContaining({ code: 'unauthenticated' }),
      challenge: expect.any(String),
    };
    expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(Object.keys(wrong).map((name) => [name, one])));
    expect(new Set(answers.map(([, answer]) => JSON.stringify(answer))).size).toBe(1);
    await keys.revoke(right, expired, rotated, elsewhere);
  });

  it('never becomes a 500, on the wire either', async () => {
    const raw = (head: string) =>
      sendRaw(app.url, `GET /auth/me HTTP/1.1\r\nHost: x\r\n${head}Connection: close\r\n\r\n`);
    const { apiKey } = app;
    expect((await raw(`X-API-Key: ${apiKey}\r\n`)).status).toBe(200);
    expect((await raw(`X-API-Key: ${apiKey}\r\nX-API-Key: ${apiKey}\r\n`)).status).toBe(401);
    expect((await raw(`X-API-Key: ${apiKey}\r\nAuthorization: ApiKey ${apiKey}\r\n`)).status).toBe(401);
    expect((await raw(`X-API-Key: ${apiKey}\0\r\n`)).status).toBe(400);
    for (const bytes of [75_000, 10_000_000])
      expect([400, 431, 0]).toContain((await raw(`X-API-Key: ${apiKey.repeat(bytes / 75)}\r\n`)).status);
    for (const name of ['api_key', 'apiKey', 'x-api-key', 'key', 'access_token'])
      expect((await client.with({}).get(`/auth/me?${name}=${apiKey}`)).status).toBe(401);
    const inside = { 'x-api-key': apiKey, apiKey };
    expect((await client.with({}).post('/tenants', inside)).status).toBe(401);
    expect((await client.with({ cookie: `x-api-key=${apiKey}; apiKey=${apiKey}` }).get('/auth/me')).status).toBe(401);
    expect(
      (await client.with({ authorization: `Basic ${Buffer.from(`x:${apiKey}`).toString('base64')}` }).get('/auth/me'))
        .status,
    ).toBe(401);
  });
});

describe('the use of a key', () => {
  it('is counted, with its last time and address; refused uses are not', async () => {
    const key = await keys.create();
    const before = Date.now();
    for (const from of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) await keys.trying(key.key, from);
    await keys.trying(invented(key.id.slice('key_'.length), 'x'.repeat(43)), '203.0.113.4');
    const shown = await keys.show(key);
    expect(shown).toMatchObject({ useCount: 3, lastUsedFrom: '203.0.113.3', version: 1 });
    expect(Date.parse(shown.lastUsedAt!)).toBeGreaterThanOrEqual(before);
    const listed = (await client.get<Page<ApiKey>>(KEYS)).body.items.find(({ id }) => id === key.id);
    expect(listed).toEqual(shown);
    await keys.revoke(key);
  });
});

describe('across restarts and instances', () => {
  const servers: TestProcess[] = [];
  const launch = async (options: AppOptions): Promise<TestProcess> => {
    const server = await startProcess(options);
    servers.push(server);
    return server;
  };
  const stop = async (server: TestProcess): Promise<void> => {
    servers.splice(servers.indexOf(server), 1);
    await server.stop();
  };
  let store: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeEach(async () => (store = await createTestDatabase()));
  afterEach(async () => {
    for (const server of servers.slice()) await stop(server);
    await store.drop();
  });

  it('keys and their use are kept', async () => {
    const { connection } = store;
    const first = await launch({ connection });
    const key = await new Keys(first.client).create({ actions: ['event:*'] });
    const call = (server: TestApp) => server.client.with({ 'x-api-key': key.key }).get('/auth/me');
    for (let i = 0; i < 5; i++) expect((await call(first)).status).toBe(200);
    await stop(first);
    const second = await launch({ connection, apiKey: first.apiKey });
    const shown = (await second.client.get<ApiKey>(keyPath(key))).body;
    const { key: _, ...created } = key;
    expect(shown).toEqual({ ...created, useCount: 5, lastUsedAt: expect.any(String), lastUsedFrom: '127.0.0.1' });
    expect((await call(second)).status).toBe(200);
    expect((await second.client.get<ApiKey>(keyPath(key))).body.useCount).toBe(6);
  });

  it('a key that one instance revokes or rotates is refused by the other within a second', async () => {
    const { connection } = store;
    const here = await launch({ connection });
    const there = await launch({ connection, apiKey: here.apiKey });
    const [revoked, rotated] = [await new Keys(here.client).create(), await new Keys(here.client).create()];
    const statuses = (): Promise<number[]> =>
      Promise.all(
        [revoked, rotated].map(
          async ({ key }) => (await there.client.with({ 'x-api-key': key }).get('/auth/me')).status,
        ),
      );
    expect(await statuses()).toEqual([200, 200]);
    await here.client.delete(keyPath(revoked));
    await here.client.post(`${keyPath(rotated)}/rotate`, { gracePeriodSeconds: 0 });
    await until(statuses, (all) => all.every((status) => status === 401), 1_000);
  });
});
