import { startApp, type TestApp } from '../support/server/app.js';
import { EventStream } from '../support/api/event-stream.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { openDatabase } from '../support/server/postgres.js';
import type { Database } from '../../src/platform/postgres/database.js';
import { MANAGEMENT_TOPICS } from '../../src/kernel/aggregate.js';
import { member, newPerson } from '../support/api/strangers.js';
import { completed, deleteTenant, rowsOf, type Deletion } from '../support/api/tenant-deletions.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Page } from '../support/api/workspace.js';

let app: TestApp;
let database: Database;
let shop: Workspace;
let tenant: string;
const obstacles: Obstacle[] = [];

beforeAll(async () => {
  app = await startApp();
  database = openDatabase(app.connection);
});
afterAll(async () => {
  await database?.close();
  await app?.stop();
});
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
});
afterEach(() => clear());

/** The audit and the job outlive the tenant. */
const KEPT = new Set(['audit_record', 'audit_chain', 'audit_head', 'job']);

const leftovers = async (id = shop.tenant): Promise<string[]> =>
  Object.keys(await rowsOf(database, id)).filter((table) => !KEPT.has(table));

async function obstruct(select: string, values: unknown[]): Promise<Obstacle> {
  const obstacle = await Obstacle.put(app.connection, select, values);
  obstacles.push(obstacle);
  return obstacle;
}

async function clear(): Promise<void> {
  await Promise.all(obstacles.splice(0).map((obstacle) => obstacle.remove()));
}

/** The deletion stops at the namespace. */
const holdNamespace = (): Promise<Obstacle> => obstruct('SELECT 1 FROM namespace WHERE tenant_id = $1', [shop.tenant]);

describe('a tenant that was deleted with its contents', () => {
  it('has left no row in any table, except its audit and the record of the deletion', async () => {
    const receiver = await WebhookReceiver.start();
    const person = await member(app, shop.tenant, 'developer');
    await shop.createTopic('returns');
    await shop.register(receiver.url, { headers: { 'x-own': 'secret' } });
    await shop.publishMany(30);
    await shop.publishMany(3, 'r', 'returns');
    await receiver.received(1);
    expect((await app.client.delete(`${shop.base}/topics/returns`)).status).toBe(204);
    for (const [path, body] of [
      ['roles', { id: 'packer', actions: ['topic:read'] }],
      ['groups', { id: 'night' }],
      [
        'permissions',
        {
          principal: { user: person.userId },
          effect: 'allow',
          actions: ['event:read'],
          resource: `tenants/${shop.tenant}`,
        },
      ],
    ] as const) {
      const made = await app.client.post(`${tenant}/${path}`, body);
      expect([path, made.status, made.text]).toEqual([path, 201, expect.anything()]);
    }
    await app.client.request('PUT', `${tenant}/groups/night/members/${person.userId}`);
    const held = await rowsOf(database, shop.tenant);
    expect(Object.keys(held)).toEqual(
      expect.arrayContaining([
        'access_grant',
        'consumer',
        'consumer_secret',
        'event',
        'group_part',
        'lane',
        'member',
        'member_role',
        'namespace',
        'role',
        'tenant',
        'topic',
        'topic_head',
        'user_group',
      ]),
    );
    await deleteTenant(app.client, shop.tenant);
    expect(await leftovers()).toEqual([]);
    for (const gone of [tenant, shop.base, shop.events()]) expect((await app.client.get(gone)).status).toBe(404);
    expect((await person.client.get(tenant)).status).toBe(404);
    await receiver.stop();
  });

  it('gets 204 if it takes less than two seconds, and its record counts what was removed', async () => {
    await shop.publishMany(5);
    await shop.register('http://127.0.0.1:65000/');
    expect((await app.client.delete(`${tenant}?force=true`)).status).toBe(204);
    const { body } = await app.client.get<Page<Deletion>>('/tenant-deletions?limit=1000');
    const job = body.items.find(({ tenantId }) => tenantId === shop.tenant)!;
    expect(job).toMatchObject({ state: 'completed', total: 8, done: 8, percent: 100, error: null });
    expect(Date.parse(job.finishedAt!)).toBeGreaterThanOrEqual(Date.parse(job.startedAt));
    expect((await app.client.get(`/tenant-deletions/${job.id}`)).body).toEqual(job);
  });

  it('starts empty when it is created again, for its new owner only', async () => {
    const earlier = await member(app, shop.tenant, 'owner');
    await shop.publishMany(3);
    await deleteTenant(app.client, shop.tenant);
    expect((await app.client.post('/tenants', { id: shop.tenant })).status).toBe(201);
    const { body: namespaces } = await app.client.get<Page<unknown>>(`${tenant}/namespaces`);
    const { body: members } = await app.client.get<Page<unknown>>(`${tenant}/members`);
    expect([namespaces.items, members.items]).toEqual([[], [expect.anything()]]);
    expect((await earlier.client.get(tenant)).status).toBe(404);
    await app.client.post(`${tenant}/namespaces`, { id: 'shop' });
    await shop.createTopic('orders');
    expect(await shop.readAll()).toEqual([]);
    expect((await shop.publish({ type: 't', data: 1 })).firstPosition).toBe(1);
  });

  it('does not affect a newer tenant with its id, even while an instance still runs the old deletion', async () => {
    await shop.publishMany(1);
    await deleteTenant(app.client, shop.tenant);
    await app.client.post('/tenants', { id: shop.tenant });
    await app.client.post(`${tenant}/namespaces`, { id: 'shop' });
    await shop.createTopic('orders');
    await shop.register('http://127.0.0.1:65000/');
    await shop.publishMany(2);
    const reopened = await database.query<{ beat: number }>(
      {
        name: 'test-reopen',
        text: `UPDATE job SET state = 'running', finished_at = NULL WHERE tenant_id = $1 RETURNING beat`,
      },
      [shop.tenant],
    );
    const taken = { name: 'test-beat', text: 'SELECT beat FROM job WHERE tenant_id = $1 AND beat > $2' };
    const ran = await until(
      () => database.query<{ beat: number }>(taken, [shop.tenant, reopened[0]!.beat + 1]),
      (rows) => rows.length > 0,
      20_000,
    );
    expect(ran).toHaveLength(1);
    expect(await shop.readAll()).toHaveLength(2);
    expect((await app.client.get<{ state: string }>(tenant)).body.state).toBe('active');
    await database.query({ name: 'test-forget', text: 'DELETE FROM job WHERE tenant_id = $1' }, [shop.tenant]);
  });
});

describe('a tenant that is being deleted', () => {
  it('shows itself and its progress, and refuses everything else to those who see it', async () => {
    const owner = await member(app, shop.tenant, 'owner');
    const [publisher, stranger] = [await member(app, shop.tenant, 'publisher'), await newPerson(app)];
    const version = (await app.client.get(tenant)).headers.get('etag')!;
    await holdNamespace();
    const answer = await owner.client.delete<Deletion>(`${tenant}?force=true`, { 'if-match': version });
    expect(answer.status).toBe(202);
    const location = answer.headers.get('location')!;
    expect(answer.body).toMatchObject({ tenantId: shop.tenant, state: 'running', total: 2, done: 1, percent: 50 });
    expect(location).toBe(`/tenant-deletions/${answer.body.id}`);
    const shown = await publisher.client.get(tenant);
    expect([shown.status, shown.body]).toMatchObject([200, { state: 'deleting', deletion: location }]);
    for (const [client, method, path, body] of [
      [owner.client, 'GET', `${tenant}/namespaces`, undefined],
      [owner.client, 'POST', `${tenant}/namespaces`, { id: 'more' }],
      [owner.client, 'GET', `${shop.base}/topics`, undefined],
      [publisher.client, 'POST', shop.events(), { type: 't', data: 1 }],
      [owner.client, 'PATCH', tenant, { name: 'Saved' }],
      [app.client, 'POST', `${tenant}/activate`, undefined],
      [app.client, 'POST', `${tenant}/suspend`, {}],
      [app.client, 'PUT', `${tenant}/members/${stranger.userId}`, { roles: ['viewer'] }],
    ] as const) {
      const refused = await client.request(method, path, body);
      expect([path, refused.status, refused.body.code]).toEqual([path, 409, 'tenant-deleting']);
    }
    expect((await stranger.client.get(tenant)).body.code).toBe('tenant-not-found');
    const check = { action: 'event:publish', resource: `tenants/${shop.tenant}/namespaces/shop/topics/orders` };
    expect((await owner.client.post('/authz/check', check)).body).toMatchObject({
      allowed: false,
      reason: 'tenant-deleting',
    });
    const again = await owner.client.delete(`${tenant}?force=true`, { 'if-match': version });
    expect([again.status, again.headers.get('location')]).toEqual([202, location]);
    expect((await app.client.post('/tenants', { id: shop.tenant })).status).toBe(409);
    await clear();
    expect(await completed(owner.client, location)).toMatchObject({ percent: 100, startedBy: owner.userId });
    expect((await owner.client.get(tenant)).status).toBe(404);
    expect(await leftovers()).toEqual([]);
  });

  it('sends nothing more', async () => {
    const [receiver, witness] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
    receiver.always({ status: 503 });
    const { id } = await shop.register(receiver.url);
    await shop.publishMany(1);
    await receiver.received(2);
    await obstruct('SELECT 1 FROM consumer_secret WHERE tenant_id = $1', [shop.tenant]);
    const deletion = app.client.delete(`${tenant}?force=true`);
    await until(
      async () => (await app.client.get('/metrics')).text,
      (metrics) => !metrics.includes(`consumer="${id}"`),
    );
    const attempts = receiver.requests.length;
    await clear();
    const other = await Workspace.create(app.client);
    await other.register(witness.url);
    await other.publishMany(5);
    await witness.received(5);
    expect(receiver.requests).toHaveLength(attempts);
    expect([202, 204]).toContain((await deletion).status);
    await Promise.all([receiver.stop(), witness.stop()]);
  });

  it('ends its open event streams', async () => {
    await shop.publishMany(2);
    const stream = await EventStream.open(app.client, shop.events());
    await holdNamespace();
    const deletion = app.client.delete(`${tenant}?force=true`);
    expect((await stream.rest()).length).toBeLessThanOrEqual(2);
    await clear();
    expect([202, 204]).toContain((await deletion).status);
  });

  it('is deleted once, also by many concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => app.client.delete(`${tenant}?force=true`)));
    expect(answers.filter(({ status }) => ![204, 404].includes(status))).toEqual([]);
    const { body } = await app.client.get<Page<Deletion>>('/tenant-deletions?limit=1000');
    expect(body.items.filter(({ tenantId }) => tenantId === shop.tenant)).toHaveLength(1);
    expect(await leftovers()).toEqual([]);
  });

  const person = { name: 'Made while it ends' };
  it.each([
    ['a namespace', 'namespaces', () => `${tenant}/namespaces`, { id: 'late' }],
    ['a topic', 'topics', () => `${shop.base}/topics`, { id: 'late' }],
    [
      'a consumer',
      'consumers',
      () => `${shop.base}/consumers`,
      { url: 'http://127.0.0.1:65000/', topics: [{ topic: 'orders' }] },
    ],
    ['a role', 'permissions', () => `${tenant}/roles`, { id: 'late', actions: ['topic:read'] }],
    ['a group', 'permissions', () => `${tenant}/groups`, { id: 'late', ...person }],
  ] as const)(
    'refuses %s that was being created when it started, and keeps nothing of it',
    async (_, log, path, body) => {
      const obstacle = await obstruct(`SELECT 1 FROM topic_head WHERE tenant_id = '$system' AND topic_uid = $1`, [
        MANAGEMENT_TOPICS[log],
      ]);
      const making = app.client.post(path(), body);
      await until(() => obstacle.isWaitedFor(), Boolean);
      const deletion = app.client.delete(`${tenant}?force=true`);
      await until(
        async () => (await app.client.get<{ state?: string }>(tenant)).body.state,
        (state) => state !== 'active',
      );
      await clear();
      const { status, body: answer } = await making;
      expect([
        [409, 'tenant-deleting'],
        [404, 'tenant-not-found'],
        [404, 'namespace-not-found'],
      ]).toContainEqual([status, answer.code]);
      await deletion;
      await until(leftovers, (tables) => tables.length === 0);
      expect(await leftovers()).toEqual([]);
    },
  );
});
