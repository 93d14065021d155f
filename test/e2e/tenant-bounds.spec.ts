import { startApp, type TestApp } from '../support/server/app.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { member, newPerson, type Person } from '../support/api/strangers.js';
import { until, Workspace, type Page } from '../support/api/workspace.js';

interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly limits: Readonly<Record<string, number | null>>;
  readonly effectiveLimits: Readonly<Record<string, number | null>>;
  readonly version: number;
}

const NONE = { namespaces: null, topics: null, consumers: null, eventsPerSecond: null, storageBytes: null };
/** The limits of this installation for every tenant. */
const INSTALLATION = { namespaces: 2, topics: 3, consumers: 1, eventsPerSecond: 50, storageBytes: 2_000 };

let app: TestApp;
let shop: Workspace;
let path: string;
let owner: Person;

beforeAll(async () => {
  app = await startApp({
    env: {
      TENANT_NAMESPACES_MAX: '2',
      TENANT_TOPICS_MAX: '3',
      TENANT_CONSUMERS_MAX: '1',
      TENANT_EVENTS_PER_SECOND_MAX: '50',
      TENANT_STORAGE_BYTES_MAX: '2000',
    },
  });
});
afterAll(() => app?.stop());
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  path = `/tenants/${shop.tenant}`;
  owner = await member(app, shop.tenant, 'owner');
});

const shown = async (client: Client = app.client): Promise<Tenant> => (await client.get<Tenant>(path)).body;
const lacks = ({ status, body }: Answer<unknown>): unknown => [
  status,
  (body as Problem).code,
  (body as Record<string, unknown>)['permission'],
];
const DENIED = [403, 'permission-denied', 'tenant:limit'];

/** A user with these permissions in the whole system. */
async function withRights(...actions: string[]): Promise<Client> {
  const person = await newPerson(app);
  const grant = { principal: { user: person.userId }, effect: 'allow', actions, resource: '**' };
  const answer = await app.client.post('/permissions', grant);
  if (answer.status !== 201) throw new Error(answer.text);
  return person.client;
}

describe('the limits of a tenant', () => {
  it('are not lifted by the tenant: such a change has no effect and is recorded; members may read the limits', async () => {
    await app.client.patch(path, { limits: { topics: 2, eventsPerSecond: 1, storageBytes: 10_000 } });
    const before = await shown();
    const admin = await member(app, shop.tenant, 'admin');
    for (const { client } of [owner, admin]) {
      for (const limits of [
        { topics: null, eventsPerSecond: null, storageBytes: null },
        { topics: 1_000 },
        { topics: 1 },
        { topics: 2 },
        {},
      ])
        expect([limits, lacks(await client.patch(path, { name: 'Lifted', limits }))]).toEqual([limits, DENIED]);
      expect(await shown(client)).toEqual(before);
      expect((await client.patch(path, { name: `Named ${client === admin.client}` })).status).toBe(200);
      expect((await shown(client)).limits).toEqual(before.limits);
      await app.client.patch(path, { name: before.name });
      Object.assign(before, await shown());
    }
    const noted = await until(
      async () => (await owner.client.get<Page<{ user: string }>>(`${path}/audit?action=access.denied`)).body.items,
      (items) => items.some(({ user }) => user === admin.userId),
    );
    expect(noted[0]).toMatchObject({ reason: 'tenant:limit', resource: `tenants/${shop.tenant}`, user: admin.userId });
  });

  it('cannot be bypassed: no role, grant or key of the tenant gives a right that no member holds', async () => {
    const resource = `tenants/${shop.tenant}`;
    const actions = ['tenant:limit'];
    const attempts: [string, string, object][] = [
      ['POST', `${path}/roles`, { id: 'limiter', actions }],
      ['POST', `${path}/permissions`, { principal: { user: owner.userId }, effect: 'allow', actions, resource }],
      ['POST', `${path}/permissions`, { principal: { role: 'owner' }, effect: 'allow', actions, resource }],
      ['POST', `${path}/permissions`, { principal: { apiKey: owner.keyId }, effect: 'allow', actions, resource }],
    ];
    for (const [method, at, body] of attempts)
      expect([at, body, (await owner.client.request(method, at, body)).body.code]).toEqual([
        at,
        body,
        'exceeds-own-permissions',
      ]);
    const key = await owner.client.post<{ key: string }>('/users/me/api-keys', { name: 'k', actions: ['tenant:*'] });
    const keyed = app.client.with({ 'x-api-key': key.body.key });
    expect(lacks(await keyed.patch(path, { limits: { topics: null } }))).toEqual(DENIED);
  });

  it('are set by the system: its administrators, their keys with that right, and users they permit', async () => {
    const keyWith = async (...actions: string[]): Promise<Client> => {
      const { body } = await app.client.post<{ key: string }>('/users/me/api-keys', { name: 'k', actions });
      return app.client.with({ 'x-api-key': body.key });
    };
    const change = { limits: { topics: 9 } };
    expect(lacks(await (await keyWith('tenant:update', 'tenant:read')).patch(path, change))).toEqual(DENIED);
    expect((await (await keyWith('tenant:update', 'tenant:limit')).patch(path, change)).status).toBe(200);
    const seller = await withRights('tenant:read', 'tenant:update', 'tenant:limit');
    expect((await seller.patch<Tenant>(path, { limits: { topics: 8 } })).body.limits).toEqual({ ...NONE, topics: 8 });
  });

  it('are set with a new tenant only by callers that may limit it; otherwise no tenant is created', async () => {
    const id = `${shop.tenant}-2`;
    const founder = await withRights('tenant:create');
    expect(lacks(await founder.post('/tenants', { id, limits: { topics: 1_000 } }))).toEqual(DENIED);
    expect((await app.client.get(`/tenants/${id}`)).status).toBe(404);
    expect((await founder.post('/tenants', { id })).status).toBe(201);
    const made = await app.client.post<Tenant>('/tenants', { id: `${id}-3`, limits: { topics: 7, consumers: null } });
    expect([made.status, made.body.limits]).toEqual([201, { ...NONE, topics: 7 }]);
    expect(made.headers.get('etag')).toBe(`"${made.body.version}"`);
  });

  it('are those of the installation if the tenant has none, and both are shown', async () => {
    expect(await shown(owner.client)).toMatchObject({ limits: NONE, effectiveLimits: INSTALLATION });
    await app.client.patch(path, { limits: { topics: 100, consumers: 0 } });
    expect(await shown(owner.client)).toMatchObject({
      limits: { ...NONE, topics: 100, consumers: 0 },
      effectiveLimits: { ...INSTALLATION, topics: 100, consumers: 0 },
    });
    const { body } = await app.client.patch<Tenant>(path, { limits: { topics: null } });
    expect([body.limits['topics'], body.effectiveLimits['topics']]).toEqual([null, 3]);
  });

  it('of the installation are enforced: namespaces, topics, consumers, events a second, storage', async () => {
    const { client } = owner;
    const many = async (at: string, prefix: string): Promise<number[]> => {
      const made = await Promise.all([1, 2, 3, 4].map((n) => client.post(at, { id: `${prefix}${n}` })));
      return made.map(({ status }) => status).toSorted();
    };
    expect(await many(`${path}/namespaces`, 'n')).toEqual([201, 409, 409, 409]);
    expect(await many(`${shop.base}/topics`, 't')).toEqual([201, 201, 409, 409]);
    await shop.register('http://127.0.0.1:65000/');
    await expect(shop.register('http://127.0.0.1:65000/')).rejects.toThrow('tenant-limit-reached');
    const published = await shop.tryPublish({ type: 't', data: 'x'.repeat(1_500) });
    expect([published.status, published.headers.get('ratelimit-policy')]).toEqual([
      201,
      '"storage";q=2000;qu="content-bytes", "tenant";q=50;w=1',
    ]);
    expect((await shop.tryPublish({ type: 't', data: 'x'.repeat(1_500) })).body.code).toBe('tenant-storage-full');
    await app.client.patch(path, { limits: { namespaces: 3, storageBytes: 1_000_000 } });
    expect((await client.post(`${path}/namespaces`, { id: 'one-more' })).status).toBe(201);
    expect((await shop.tryPublish({ type: 't', data: 'x'.repeat(1_500) })).status).toBe(201);
  });
});
