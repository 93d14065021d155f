import { startProcess, type TestProcess } from '../support/server/app.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { until, Workspace } from '../support/api/workspace.js';

const EVENT = { type: 't', data: 1 };
const KEY = { 'idempotency-key': 'k-1' };

let store: TestDatabase;
const running: TestProcess[] = [];

beforeEach(async () => {
  store = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.kill()));
  await store.drop();
});

async function launch(apiKey?: string): Promise<TestProcess> {
  const server = await startProcess({ connection: store.connection, ...(apiKey && { apiKey }) });
  running.push(server);
  return server;
}

/** Publishes under the key, and resolves when the server has stopped midway. */
async function halfway(shop: Workspace): Promise<Obstacle> {
  const obstacle = await Obstacle.put(store.connection, 'SELECT 1 FROM topic_head WHERE tenant_id = $1', [shop.tenant]);
  void shop.tryPublish(EVENT, KEY).catch(() => undefined);
  await until(() => obstacle.isWaitedFor(), Boolean);
  return obstacle;
}

describe('a publish with an Idempotency-Key whose server is killed midway', () => {
  it('is completed at once by the next server', async () => {
    const first = await launch();
    const shop = await Workspace.create(first.client);
    const obstacle = await halfway(shop);
    await first.kill();
    await obstacle.remove();
    const again = shop.through((await launch(first.apiKey)).client);
    const { status, body } = await again.tryPublish(EVENT, KEY);
    expect([status, body.firstPosition]).toEqual([201, 1]);
    expect((await again.tryPublish(EVENT, KEY)).headers.get('idempotent-replayed')).toBe('true');
    expect(await again.readAll()).toHaveLength(1);
  });

  it('is completed by another server as soon as the first is dead, and not before', async () => {
    const first = await launch();
    const second = await launch(first.apiKey);
    const shop = await Workspace.create(first.client);
    const obstacle = await halfway(shop);
    const there = shop.through(second.client);
    expect((await there.tryPublish(EVENT, KEY)).body.code).toBe('idempotency-in-progress');
    await first.kill();
    await obstacle.remove();
    const { body } = await until(
      () => there.tryPublish(EVENT, KEY),
      ({ status }) => status === 201,
      2_000,
    );
    expect([body.firstPosition, (await there.readAll()).length]).toEqual([1, 1]);
  });
});
