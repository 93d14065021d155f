import { startProcess, type TestProcess } from '../support/server/app.js';
import { connect } from '../support/server/postgres.js';
import { until, Workspace } from '../support/api/workspace.js';

let server: TestProcess;
let shop: Workspace;

beforeAll(async () => {
  server = await startProcess({ env: { PUBLISH_QUEUE_EVENTS_MAX: '100', STATEMENT_TIMEOUT_MS: '2000' } });
  shop = await Workspace.create(server.client);
});
afterAll(() => server?.stop());

it('beyond the bound of the queue a publish is 429 with Retry-After; accepted events are stored, refused ones are not', async () => {
  const blocker = await connect(server.connection);
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM topic_head WHERE tenant_id = $1 FOR UPDATE', [shop.tenant]);
  const storm = Array.from({ length: 300 }, (_, i) => ({
    id: `e${i}`,
    answer: shop.tryPublish({ id: `e${i}`, type: 't', data: i }),
  }));
  const refused = await Promise.race(
    storm.map(async ({ answer }) =>
      answer.then((one) => (one.status === 429 ? one : new Promise<never>(() => undefined))),
    ),
  );
  expect([refused.status, refused.body.code]).toEqual([429, 'publish-queue-full']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await server.client.get('/health/live')).status).toBe(200);
  await blocker.query('ROLLBACK');
  await blocker.end();
  const answers = await Promise.all(storm.map(async ({ id, answer }) => ({ id, status: (await answer).status })));
  const acknowledged = answers.filter(({ status }) => status === 201).map(({ id }) => id);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 429]));
  expect((await shop.readAll()).map(({ id }) => id).toSorted()).toEqual(acknowledged.toSorted());
});

it('recovers when the storm is over', async () => {
  const { events } = await until(
    () => shop.tryPublish({ type: 't', data: 1 }).then(({ body }) => body),
    ({ events: stored }) => stored !== undefined,
  );
  expect(events).toHaveLength(1);
});

it('one blocked topic does not stop the topics of other tenants', async () => {
  const other = await Workspace.create(server.client);
  const blocker = await connect(server.connection);
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM topic_head WHERE tenant_id = $1 FOR UPDATE', [shop.tenant]);
  const stuck = Array.from({ length: 5 }, (_, i) => shop.tryPublish({ id: `stuck${i}`, type: 't', data: i }));
  await other.publishMany(5);
  expect(await other.readAll()).toHaveLength(5);
  await blocker.query('ROLLBACK');
  await blocker.end();
  expect((await Promise.all(stuck)).map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
});
