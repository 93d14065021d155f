import { startProcess, type TestProcess } from '../support/server/app.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { completed, rowsOf, type Deletion } from '../support/api/tenant-deletions.js';
import { until, Workspace, type Page } from '../support/api/workspace.js';

const TOPICS = 24;

let store: TestDatabase;
let shop: Workspace;
let obstacle: Obstacle;
const running: TestProcess[] = [];

beforeEach(async () => {
  store = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all([...running.splice(0).map((one) => one.kill()), obstacle?.remove().catch(() => undefined)]);
  await store.drop();
});

async function launch(apiKey?: string, env: Record<string, string> = {}): Promise<TestProcess> {
  const server = await startProcess({ connection: store.connection, env, ...(apiKey && { apiKey }) });
  running.push(server);
  return server;
}

/** A tenant with many topics with events; one topic cannot be removed for now. */
async function fill(server: TestProcess): Promise<void> {
  const names = Array.from({ length: TOPICS }, (_, i) => `t${i}`);
  shop = await Workspace.create(server.client, names);
  const events = Array.from({ length: 50 }, (_, i) => ({ type: 't', data: i }));
  for (const name of names) await shop.publish(events, name);
  await shop.register('http://127.0.0.1:65000/', { topics: names.map((topic) => ({ topic })) });
  const held = 'SELECT 1 FROM topic WHERE tenant_id = $1 AND topic_id = $2';
  obstacle = await Obstacle.put(store.connection, held, [shop.tenant, `t${TOPICS / 2}`]);
}

/** Starts the deletion, and resolves when it waits for the obstacle. */
async function beginDeletion({ client }: TestProcess): Promise<Deletion> {
  const asked = client.delete(`/tenants/${shop.tenant}?force=true`).catch(() => undefined);
  await until(() => obstacle.isWaitedFor(), Boolean);
  const { body } = await client.get<Page<Deletion>>('/tenant-deletions');
  void asked;
  return body.items[0]!;
}

const topicsLeft = async (): Promise<number> => (await rowsOf(store.database, shop.tenant))['topic'] ?? 0;

async function expectNothingLeft(): Promise<void> {
  const {
    audit_record: _,
    audit_chain: __,
    audit_head: ___,
    job: ____,
    ...left
  } = await rowsOf(store.database, shop.tenant);
  expect(left).toEqual({});
}

it('a deletion that was killed midway is finished after the restart by itself, and its id is free and empty', async () => {
  const first = await launch();
  await fill(first);
  const { id } = await beginDeletion(first);
  await first.kill();
  expect(await topicsLeft()).toBeGreaterThan(0);
  expect(await topicsLeft()).toBeLessThan(TOPICS);
  await obstacle.remove();
  const { client } = await launch(first.apiKey);
  const job = await completed(client, `/tenant-deletions/${id}`);
  // The tenant, one namespace, one consumer and the topics with their events.
  expect(job).toMatchObject({ total: 2 + TOPICS * 51, done: job.total, percent: 100 });
  await expectNothingLeft();
  const again = await client.post<{ version: number }>('/tenants', { id: shop.tenant });
  expect(again.status).toBe(201);
  expect((await client.get<Page<unknown>>(`/tenants/${shop.tenant}/namespaces`)).body.items).toEqual([]);
});

it('a deletion is finished by another instance when the one that began it dies', async () => {
  const first = await launch();
  const second = await launch(first.apiKey);
  await fill(first);
  const { id } = await beginDeletion(first);
  const refused = await second.client.get(`/tenants/${shop.tenant}/namespaces`);
  expect([refused.status, refused.body.code]).toEqual([409, 'tenant-deleting']);
  await first.kill();
  await obstacle.remove();
  expect((await completed(second.client, `/tenant-deletions/${id}`)).percent).toBe(100);
  await expectNothingLeft();
});

it('a deletion that was started at one instance is the same at another, which waits for it', async () => {
  const first = await launch();
  const second = await launch(first.apiKey);
  await fill(first);
  const { id } = await beginDeletion(first);
  const asked = second.client.delete(`/tenants/${shop.tenant}?force=true`);
  await obstacle.remove();
  const { status } = await asked;
  expect([202, 204]).toContain(status);
  expect((await completed(second.client, `/tenant-deletions/${id}`)).state).toBe('completed');
  expect((await second.client.get<Page<Deletion>>('/tenant-deletions')).body.items).toHaveLength(1);
  await expectNothingLeft();
});

it('a deletion that fails says why, and is tried again by itself', async () => {
  const { client } = await launch(undefined, { LOCK_TIMEOUT_MS: '100' });
  shop = await Workspace.create(client);
  await shop.publishMany(3);
  obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM namespace WHERE tenant_id = $1', [shop.tenant]);
  const { status, headers } = await client.delete(`/tenants/${shop.tenant}?force=true`);
  expect(status).toBe(202);
  const location = headers.get('location')!;
  const { body } = await until(
    () => client.get<Deletion>(location),
    (answer) => answer.body.state === 'failed',
  );
  expect(body).toMatchObject({ total: 5, done: 4, percent: 80, finishedAt: null });
  expect(body.error).toEqual(expect.stringContaining('store'));
  expect((await client.get<{ state: string }>(`/tenants/${shop.tenant}`)).body.state).toBe('deleting');
  await obstacle.remove();
  expect(await completed(client, location)).toMatchObject({ done: 5, percent: 100, error: null });
  await expectNothingLeft();
});
