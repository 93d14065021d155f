import { QUICK_TAKEOVER, startProcess, type TestProcess } from '../support/server/app.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { WebhookReceiver, type Received } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

let store: TestDatabase;
let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;

beforeEach(async () => {
  store = await createTestDatabase();
  receiver = await WebhookReceiver.start();
  server = await startProcess({ connection: store.connection, env: QUICK_TAKEOVER });
  shop = await Workspace.create(server.client);
});
afterEach(async () => {
  await server.kill();
  await receiver.stop();
  await store.drop();
});

/** What no API allows: removes events of the topic directly in the store. */
async function losePositions(from: number, to: number): Promise<void> {
  const client = await connect(store.connection);
  const { rowCount } = await client.query('DELETE FROM event WHERE tenant_id = $1 AND position BETWEEN $2 AND $3', [
    shop.tenant,
    from,
    to,
  ]);
  await client.end();
  if (rowCount !== to - from + 1) throw new Error(`Deleted ${rowCount} events, not the positions ${from} to ${to}.`);
}

async function startAgain(): Promise<void> {
  server = await startProcess({
    connection: store.connection,
    apiKey: server.apiKey,
    env: { ...QUICK_TAKEOVER, LOG_LEVEL: 'warn' },
  });
  shop = shop.through(server.client);
}

const ids = (requests: readonly Received[]) => requests.map(({ headers }) => headers['x-event-id']);
const metrics = async (): Promise<string> => (await server.client.get('/metrics')).text;

it.each([
  ['in the middle', 4, 6, ['e1', 'e2', 'e3', 'e7', 'e8', 'last']],
  ['at the beginning', 1, 3, ['e4', 'e5', 'e6', 'e7', 'e8', 'last']],
])(
  'positions that are gone %s are reported as a gap, and delivery continues at the first event that exists',
  async (_, from, to, expected) => {
    const { port, url } = receiver;
    await receiver.stop();
    const { id } = await shop.register(url);
    await shop.publishMany(8);
    await server.kill();
    await losePositions(from, to);
    receiver = await WebhookReceiver.start(port);
    await startAgain();
    await shop.publish({ id: 'last', type: 't', data: 1 });
    expect(ids(await receiver.received(expected.length))).toEqual(expected);
    const { gap } = await until(
      () => shop.topicStatus(id),
      ({ position }) => position === 9,
    );
    expect(gap).toMatchObject({ kind: 'missing-events', from, to, at: expect.any(String) });
    expect(await metrics()).toMatch(/^event_store_\w*gaps?\w*(\{.*\})? [1-9]/m);
    await server.stop();
    const told = server
      .output()
      .split('\n')
      .find((line) => line.includes('gap'));
    expect(JSON.parse(told!)).toMatchObject({ consumer: id, topic: 'orders', tenant: shop.tenant });
  },
);

it('a position beyond the end of the log, as after a restored backup, is reported; later events are delivered', async () => {
  const { id } = await shop.register(receiver.url);
  await shop.publishMany(5);
  await until(
    () => shop.topicStatus(id),
    ({ position }) => position === 5,
  );
  await server.kill();
  await losePositions(3, 5);
  await startAgain();
  await until(
    () => shop.topicStatus(id),
    ({ gap }) => gap?.kind === 'cursor-beyond-log',
  );
  await shop.publishMany(2, 'new');
  expect(ids(await receiver.received(7)).slice(5)).toEqual(['new1', 'new2']);
  expect(
    await until(
      () => shop.topicStatus(id),
      ({ lag }) => lag.events === 0,
    ),
  ).toMatchObject({ lastEventId: 'new2', state: 'following' });
});

it('a hole does not stop readers: they get the existing events, in order', async () => {
  await shop.publishMany(6);
  await server.kill();
  await losePositions(3, 4);
  await startAgain();
  expect((await shop.readAll()).map(({ position }) => position)).toEqual([1, 2, 5, 6]);
  expect((await shop.read('?order=desc&limit=3')).items.map(({ position }) => position)).toEqual([6, 5, 2]);
});
