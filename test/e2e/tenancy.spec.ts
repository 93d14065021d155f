import { sharedApp, startProcess } from '../support/server/app.js';
import { createTestDatabase } from '../support/server/postgres.js';
import { until, Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

interface Resource {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const MANAGEMENT = '/tenants/$system/namespaces/$management';

const app = await sharedApp();
let shop: Workspace;

beforeEach(async () => {
  shop = await Workspace.create(app.client, []);
});

const create = (path: string, body: object) => app.client.post<Resource>(path, body);

describe.each([
  ['tenants', () => '/tenants'],
  ['namespaces', () => `/tenants/${shop.tenant}/namespaces`],
  ['topics', () => `${shop.base}/topics`],
])('%s', (kind, collection) => {
  const named = kind === 'topics' ? 'description' : 'name';
  let id: string;
  beforeEach(() => (id = `x-${shop.tenant}`));

  it('are created with 201, the resource, its location and its ETag', async () => {
    const answer = await create(collection(), { id, [named]: 'First' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toMatch(new RegExp(`${collection()}/${id}$`));
    expect(answer.body).toMatchObject({ id, [named]: 'First', version: 1 });
    expect(answer.body.createdAt).toMatch(RFC_3339);
    const read = await app.client.get<Resource>(`${collection()}/${id}`);
    expect([read.status, read.body]).toMatchObject([200, answer.body]);
    expect(read.headers.get('etag')).toBeTruthy();
  });

  it('get an id if none is given', async () => {
    const { body } = await create(collection(), {});
    expect(body.id).toMatch(ID);
    expect((await app.client.get(`${collection()}/${body.id}`)).status).toBe(200);
  });

  it('with an id that is taken are 409, also in many concurrent requests', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(collection(), { id })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
  });

  it.each([
    'Upper',
    '',
    '.dot',
    '-dash',
    'a/b',
    '..',
    'a b',
    'ä',
    'x'.repeat(64),
    '$system',
    '$mine',
    'a\u0000',
    '%2e%2e',
  ])('with the id %j are refused', async (bad) => {
    const { status, headers } = await create(collection(), { id: bad });
    expect([status, headers.get('content-type')]).toEqual([400, expect.stringContaining('problem+json')]);
  });

  it('are changed by a merge patch, versioned, and guarded by If-Match', async () => {
    await create(collection(), { id, [named]: 'First' });
    const path = `${collection()}/${id}`;
    const etag = (await app.client.get(path)).headers.get('etag')!;
    const { status, body } = await app.client.patch<Resource>(path, { [named]: 'Second' }, { 'if-match': etag });
    expect([status, body]).toMatchObject([200, { id, [named]: 'Second', version: 2 }]);
    expect(await app.client.patch(path, { [named]: 'Third' }, { 'if-match': etag })).toMatchObject({
      status: 412,
      body: { code: 'version-mismatch' },
    });
    expect((await app.client.delete(path, { 'if-match': etag })).status).toBe(412);
    expect((await app.client.patch(path, { id: 'other' })).status).toBe(400);
    expect((await app.client.get<Resource>(path)).body).toEqual(body);
  });

  it('are deleted with 204, then gone, and their id is free', async () => {
    await create(collection(), { id });
    expect((await app.client.delete(`${collection()}/${id}`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      expect((await app.client.request(method, `${collection()}/${id}`)).status).toBe(404);
    }
    expect((await create(collection(), { id })).status).toBe(201);
  });

  it('are listed in pages, each once', async () => {
    for (let i = 0; i < 5; i++) await create(collection(), { id: `${id}-${i}` });
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await app.client.get<Page<Resource>>(`${collection()}?limit=2${cursor}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map((item) => item.id));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(Array.from({ length: 5 }, (_, i) => `${id}-${i}`)));
  });

  it('with an Idempotency-Key are created once', async () => {
    const key = { 'idempotency-key': `create-${kind}-${shop.tenant}` };
    const first = await app.client.post<Resource>(collection(), { [named]: 'x' }, key);
    const again = await app.client.post<Resource>(collection(), { [named]: 'x' }, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect((await app.client.post(collection(), { [named]: 'y' }, key)).status).toBe(409);
  });
});

describe('deleting a resource that is not empty', () => {
  it('is 409 for a tenant with namespaces, and succeeds with force', async () => {
    const path = `/tenants/${shop.tenant}`;
    expect(await app.client.delete(path)).toMatchObject({ status: 409, body: { code: 'tenant-not-empty' } });
    expect((await app.client.get(path)).status).toBe(200);
    expect((await app.client.delete(`${path}?force=true`)).status).toBe(204);
    for (const gone of [path, shop.base, `${shop.base}/topics`]) expect((await app.client.get(gone)).status).toBe(404);
  });

  it('is 409 for a namespace with topics, and succeeds with force: its topics and consumers are deleted, too', async () => {
    await shop.createTopic('orders');
    const { id } = await shop.register('http://127.0.0.1:65000/');
    expect(await app.client.delete(shop.base)).toMatchObject({ status: 409, body: { code: 'namespace-not-empty' } });
    expect((await app.client.delete(`${shop.base}?force=true`)).status).toBe(204);
    expect((await app.client.get(shop.base)).status).toBe(404);
    for (const gone of [`${shop.base}/topics/orders`, shop.consumer(id)])
      expect((await app.client.get(gone)).status).toBe(404);
  });

  it('leaves nothing behind: a namespace and a topic of the same name start empty', async () => {
    await shop.createTopic('orders');
    await shop.publishMany(3);
    expect((await app.client.delete(`${shop.base}?force=true`)).status).toBe(204);
    await create(`/tenants/${shop.tenant}/namespaces`, { id: 'shop' });
    await shop.createTopic('orders');
    expect(await shop.readAll()).toEqual([]);
    expect((await shop.publish({ id: 'e1', type: 't', data: 'other' })).events[0]).toMatchObject({
      position: 1,
      duplicate: false,
    });
  });

  it('deletes nothing if the version is not the expected one', async () => {
    await shop.createTopic('orders');
    await shop.publish({ type: 't', data: 1 });
    for (const path of [`/tenants/${shop.tenant}`, shop.base]) {
      const answer = await app.client.request('DELETE', `${path}?force=true`, undefined, { 'if-match': '"99"' });
      expect([answer.status, answer.body.code]).toEqual([412, 'version-mismatch']);
    }
    expect(await shop.readAll()).toHaveLength(1);
  });

  it('is done once: a repetition after a crash does not affect a newer namespace with the same id', async () => {
    const { connection, database, drop } = await createTestDatabase();
    const reaction = 'tenancy:on-namespace-deleted';
    const progress = (): Promise<{ position: number }[]> =>
      database.query(
        { name: 'test-progress', text: 'SELECT position FROM subscription_checkpoint WHERE subscription = $1' },
        [reaction],
      );
    const first = await startProcess({ connection });
    const old = await Workspace.create(first.client);
    expect((await first.client.delete(`${old.base}?force=true`)).status).toBe(204);
    await until(progress, (rows) => (rows[0]?.position ?? 0) >= 2);
    const [done] = await progress();
    expect((await first.client.post(`/tenants/${old.tenant}/namespaces`, { id: 'shop' })).status).toBe(201);
    await old.createTopic('orders');
    await old.publish({ type: 't', data: 'young' });
    await first.stop();
    await database.query({ name: 'test-forget', text: 'DELETE FROM subscription_checkpoint WHERE subscription = $1' }, [
      reaction,
    ]);
    const second = await startProcess({ connection, apiKey: first.apiKey });
    await until(progress, (rows) => (rows[0]?.position ?? 0) > done!.position);
    expect(await old.through(second.client).readAll()).toHaveLength(1);
    await second.stop();
    await drop();
  });

  it.each(['yes', '1', 'TRUE', ''])('requires force=true, not "%s"', async (force) => {
    expect([400, 409]).toContain((await app.client.delete(`/tenants/${shop.tenant}?force=${force}`)).status);
    expect((await app.client.get(`/tenants/${shop.tenant}`)).status).toBe(200);
  });
});

describe('the management log', () => {
  it('contains all changes, as events that administrators read like any others', async () => {
    await shop.createTopic('orders');
    const { body: topics } = await app.client.get<Page<Resource>>(`${MANAGEMENT}/topics?limit=1000`);
    const told: ReadEvent[] = [];
    for (const { id } of topics.items) {
      const { body } = await app.client.get<Page<ReadEvent>>(`${MANAGEMENT}/topics/${id}/events?order=desc&limit=200`);
      told.push(...body.items.filter((event) => JSON.stringify(event).includes(shop.tenant)));
    }
    expect(told.map(({ type }) => type).toSorted()).toEqual([
      'member.added',
      'member.role-assigned',
      'namespace.created',
      'tenant.created',
      'topic.created',
    ]);
  });

  it('accepts nothing from outside: 403, for events, topics and the names themselves', async () => {
    const { body } = await app.client.get<Page<Resource>>(`${MANAGEMENT}/topics?limit=1000`);
    const topic = body.items[0]!.id;
    const before = (await app.client.get<Page<ReadEvent>>(`${MANAGEMENT}/topics/${topic}/events?order=desc&limit=1`))
      .text;
    const refused = [
      await app.client.post(`${MANAGEMENT}/topics/${topic}/events`, { type: 'tenant.deleted', data: {} }),
      await app.client.post(`${MANAGEMENT}/topics`, { id: 'mine' }),
      await app.client.delete(`${MANAGEMENT}/topics/${topic}`),
      await app.client.delete(`${MANAGEMENT}?force=true`),
      await app.client.delete('/tenants/$system?force=true'),
      await app.client.patch('/tenants/$system', { name: 'Mine' }),
      await app.client.post('/tenants/$system/namespaces', { id: 'mine' }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect((await app.client.get(`${MANAGEMENT}/topics/${topic}/events?order=desc&limit=1`)).text).toBe(before);
  });

  it('contains no secret', async () => {
    await shop.createTopic('orders');
    const { secret } = await shop.register('http://127.0.0.1:65000/', {
      headers: { authorization: 'Bearer tell-nobody' },
    });
    const { body: topics } = await app.client.get<Page<Resource>>(`${MANAGEMENT}/topics?limit=1000`);
    for (const { id } of topics.items) {
      const { text } = await app.client.get(`${MANAGEMENT}/topics/${id}/events`, { accept: 'application/x-ndjson' });
      for (const hidden of [secret, secret.slice(6), 'tell-nobody', app.adminPassword, app.apiKey])
        expect(text).not.toContain(hidden);
    }
  });
});
