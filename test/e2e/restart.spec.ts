import { QUICK_TAKEOVER, startProcess, type AppOptions, type TestProcess } from '../support/server/app.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { seededRandom } from '../support/faults/storm.js';
import { WebhookReceiver, type Received } from '../support/api/webhook-receiver.js';
import { QUICK_RETRY, until, Workspace, type Consumer } from '../support/api/workspace.js';

let store: TestDatabase;
let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;
const running: TestProcess[] = [];

beforeAll(async () => {
  store = await createTestDatabase();
  server = await launch();
});
afterAll(async () => {
  await Promise.all(running.map((one) => one.kill()));
  await store?.drop();
});
/** Each test uses the server that the previous one started last. */
beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  shop = await Workspace.create(server.client);
});
afterEach(async () => {
  await Promise.all(running.filter((one) => one !== server).map((one) => one.kill()));
  await server.client.post(`/tenants/${shop.tenant}/suspend`, {});
  await receiver.stop();
});

async function launch({ env }: AppOptions = {}): Promise<TestProcess> {
  const started = await startProcess({
    connection: store.connection,
    apiKey: server?.apiKey,
    env: { ...QUICK_TAKEOVER, ...env },
  });
  running.push(started);
  return started;
}

/** Starts the next server on the same database, with the state of the previous one. */
async function startAgain(): Promise<void> {
  server = await launch();
  shop = shop.through(server.client);
}

const ids = (requests: readonly Received[]) => requests.map(({ headers }) => headers['x-event-id']);
const attempts = () => receiver.requests.map(({ headers }) => headers['x-delivery-attempt']);
const upTo = (count: number, prefix = 'e') => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

describe('after kill -9', () => {
  it('a consumer is unchanged, with its position, and no checkpointed event is delivered again', async () => {
    const {
      id,
      secret: _,
      ...consumer
    } = await shop.register(receiver.url, { correlationId: 'team-7', headers: { 'x-own': 'kept' } });
    await shop.publishMany(3);
    const before = await until(
      () => shop.topicStatus(id),
      ({ position }) => position === 3,
    );
    await server.kill();
    await startAgain();
    expect((await server.client.get<Consumer>(shop.consumer(id))).body).toEqual({ id, ...consumer });
    expect(await shop.topicStatus(id)).toMatchObject({ lastEventId: before.lastEventId, position: 3 });
    await shop.publish({ id: 'after', type: 't', data: 1 });
    const requests = await receiver.received(4);
    expect(ids(requests)).toEqual(['e1', 'e2', 'e3', 'after']);
    expect(requests[3]!.headers).toMatchObject({ 'x-correlation-id': 'team-7', 'x-own': 'kept' });
  });

  it('undelivered events are delivered in order, without any request', async () => {
    const { port, url } = receiver;
    await receiver.stop();
    await shop.register(url);
    await shop.publishMany(20);
    await server.kill();
    receiver = await WebhookReceiver.start(port);
    await startAgain();
    expect(ids(await receiver.received(20))).toEqual(upTo(20));
  });

  it('events that others published meanwhile are delivered in order', async () => {
    await shop.register(receiver.url);
    await server.kill();
    const publisher = await launch({ env: { ROLES: 'api' } });
    await shop.through(publisher.client).publishMany(10);
    expect(receiver.requests).toEqual([]);
    await startAgain();
    expect(ids(await receiver.received(10))).toEqual(upTo(10));
  });

  it('an attempt under way is made again, with the same webhook-id', async () => {
    receiver.next({ hang: true });
    await shop.register(receiver.url);
    await shop.publishMany(1);
    await receiver.received(1);
    await server.kill();
    await startAgain();
    const [first, second] = (await receiver.received(2)) as [Received, Received];
    expect(second.text).toBe(first.text);
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
  });

  it('made attempts stay counted: the budget is the same as without the kill', async () => {
    receiver.always({ status: 500 });
    const retry = { ...QUICK_RETRY, initialDelayMs: 1_000, maxDelayMs: 1_000, maxAttempts: 4 };
    const { id } = await shop.register(receiver.url, { retry });
    await shop.publishMany(1);
    await until(
      () => shop.topicStatus(id),
      ({ attempt }) => attempt === 2,
    );
    await server.kill();
    await startAgain();
    await until(
      () => shop.topicStatus(id),
      ({ state }) => state === 'blocked',
    );
    expect(attempts()).toEqual(['1', '2', '3', '4']);
  });

  it('a blocked lane is blocked, a paused consumer is paused, and both continue after a resume', async () => {
    receiver.always({ status: 500 });
    const blocked = await shop.register(receiver.url, { retry: { ...QUICK_RETRY, maxAttempts: 1 } });
    const paused = await shop.register(receiver.url);
    await server.client.post(`${shop.consumer(paused.id)}/pause`);
    await shop.publishMany(1);
    await until(
      () => shop.topicStatus(blocked.id),
      ({ state }) => state === 'blocked',
    );
    await server.kill();
    receiver.always({});
    await startAgain();
    expect((await shop.status(paused.id)).state).toBe('paused');
    expect((await shop.topicStatus(blocked.id)).state).toBe('blocked');
    expect(receiver.requests).toHaveLength(1);
    for (const { id } of [blocked, paused]) await server.client.post(`${shop.consumer(id)}/resume`);
    expect(ids(await receiver.received(3))).toEqual(['e1', 'e1', 'e1']);
  });
});

describe('kill -9 during a storm of publishes', () => {
  it('loses no acknowledged event, stores none twice and no partial batch', async () => {
    const random = seededRandom(4_711);
    const acknowledged = new Map<string, number>();
    const batches: string[][] = [];
    const enough = Promise.withResolvers<void>();
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; ; n++) {
        const batch = Array.from({ length: 1 + random(5) }, (_, i) => `w${writer}-${n}-${i}`);
        batches.push(batch);
        const answer = await shop
          .tryPublish(batch.map((id) => ({ id, type: 't', data: { id } })))
          .catch(() => undefined);
        if (!answer) return;
        expect(answer.status).toBe(201);
        for (const { id, position } of answer.body.events) acknowledged.set(id, position);
        if (acknowledged.size > 500) enough.resolve();
      }
    };
    const writers = Promise.all(Array.from({ length: 16 }, (_, i) => write(i)));
    await enough.promise;
    await server.kill();
    await writers;
    await startAgain();
    const stored = await shop.readAll();
    const positions = new Map(stored.map(({ id, position }) => [id, position]));
    expect(stored.map(({ position }) => position)).toEqual(stored.map((_, i) => i + 1));
    expect(positions.size).toBe(stored.length);
    for (const [id, position] of acknowledged) expect([id, positions.get(id)]).toEqual([id, position]);
    for (const batch of batches) expect([0, batch.length]).toContain(batch.filter((id) => positions.has(id)).length);
  });
});

describe('SIGTERM', () => {
  it('stops gracefully: nothing is lost, out of order, or delivered twice', async () => {
    await shop.register(receiver.url);
    await shop.publish(Array.from({ length: 500 }, (_, n) => ({ id: `e${n + 1}`, type: 't', data: n })));
    await receiver.received(50);
    await server.stop();
    await startAgain();
    await until(
      () => Promise.resolve(receiver.requests),
      (all) => all.at(-1)?.headers['x-event-id'] === 'e500',
    );
    expect(ids(receiver.requests)).toEqual(upTo(500));
  });
});
