import { setTimeout as pause } from 'node:timers/promises';
import { QUICK_TAKEOVER, startProcess, type AppOptions, type TestProcess } from '../support/server/app.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { WebhookReceiver, type Received } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

let store: TestDatabase;
let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;

beforeEach(async () => {
  store = await createTestDatabase();
  receiver = await WebhookReceiver.start();
});
afterEach(async () => {
  await Promise.all([server?.kill(), receiver.stop()]);
  await store.drop();
});

async function launch(options: AppOptions = {}): Promise<void> {
  server = await startProcess({ connection: store.connection, ...options });
  shop = await Workspace.create(server.client);
}

const batch = (count: number): unknown[] => dense(count).map((n) => ({ type: 't', data: n }));
const dense = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const positions = (requests: readonly Received[]): number[] =>
  requests.map(({ headers }) => Number(headers['x-event-position']));

describe('lanes in delivery threads', () => {
  it('deliver events that were handed over, and those too many to hand over, once and in order', async () => {
    await launch();
    await shop.register(receiver.url);
    await shop.publish(batch(10));
    await receiver.received(10);
    await shop.publish(batch(700));
    for (let i = 0; i < 10; i++) await shop.publish(batch(1));
    await receiver.received(720, 30_000);
    expect(positions(receiver.requests)).toEqual(dense(720));
  });

  it('share the consumers among them, and each is reported as if it ran in the main thread', async () => {
    await launch({ env: { DELIVERY_THREADS: '3' } });
    const paths = dense(6).map((n) => `/hook-${n}`);
    for (const path of paths) await shop.register(new URL(path, receiver.url).href);
    receiver.always(({ path }) => ({ status: path === '/hook-6' ? 500 : 204 }));
    await shop.publish(batch(50));
    await until(
      () => server.client.get('/metrics'),
      ({ text }) =>
        text.includes('event_store_delivery_attempts_total{outcome="delivered"} 250\n') &&
        // The sum over all lanes passes 50 on its way: it means "done" only together with the count above.
        text.includes('event_store_delivery_lag_events 50\n'),
    );
    for (const path of paths.slice(0, 5))
      expect(positions(receiver.requests.filter((one) => one.path === path))).toEqual(dense(50));
    const { text } = await server.client.get('/metrics');
    expect(text).toContain('event_store_delivery_lanes 6\n');
  });

  it('send nothing more once others may have taken them over, even if the main thread cannot stop them', async () => {
    await launch({ env: QUICK_TAKEOVER });
    receiver.always(() => ({ after: pause(50) }));
    await shop.register(receiver.url);
    await shop.publish(batch(150));
    await receiver.received(5);
    const from = performance.now();
    await server.surround({ blockMs: 6_000 });
    const to = performance.now();
    const between = (start: number, end: number): Received[] =>
      receiver.requests.filter(({ at }) => at > start && at < end);
    expect(between(from, from + 1_500).length).toBeGreaterThan(5);
    expect(between(from + 3_500, to - 500)).toEqual([]);
    await until(
      () => Promise.resolve(new Set(positions(receiver.requests)).size),
      (count) => count === 150,
      30_000,
    );
    const once = positions(receiver.requests).filter((position, i, all) => position !== all[i - 1]);
    expect(once).toEqual(dense(150));
  }, 60_000);

  it('end the process when they fail; the next start recovers', async () => {
    await launch({ env: QUICK_TAKEOVER });
    await shop.register(receiver.url);
    await shop.publish(batch(3));
    await receiver.received(3);
    void server.surround({ failure: 'planted in a thread' }).catch(() => undefined);
    await until(
      () => Promise.resolve(isAlive(server.pid)),
      (alive) => !alive,
    );
    expect(server.output()).toContain('planted in a thread');
    server = await startProcess({ connection: store.connection, apiKey: server.apiKey, env: QUICK_TAKEOVER });
    await shop.through(server.client).publish(batch(2));
    await until(
      () => Promise.resolve(positions(receiver.requests)),
      (all) => all.includes(5),
    );
  }, 60_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
