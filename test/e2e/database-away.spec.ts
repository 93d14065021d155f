import { startProcess, type TestProcess } from '../support/server/app.js';
import { GatedDatabase } from '../support/faults/database-gate.js';
import { WebhookReceiver, type Received } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

const LONG_MS = 60_000;

let store: GatedDatabase;
let server: TestProcess;
let shop: Workspace;

beforeAll(async () => {
  store = await GatedDatabase.start();
  server = await startProcess({ connection: store.connection, env: { LOG_LEVEL: 'warn' } });
}, LONG_MS);
afterAll(async () => {
  await server?.kill();
  await store?.drop();
});
/** Waits until the server has recovered from the previous test. */
beforeEach(async () => {
  await ready(200);
  shop = await Workspace.create(server.client);
}, LONG_MS);

const event = { type: 't', data: 1 };
const ready = (status: number, withinMs = 20_000) =>
  until(
    () => server.client.get('/health/ready'),
    (answer) => answer.status === status,
    withinMs,
  );
const unique = (requests: readonly Received[]) => [...new Set(requests.map(({ headers }) => headers['x-event-id']))];

describe('while the store is away', () => {
  it(
    'the server reports it, refuses with 503 and Retry-After, and recovers by itself when the store is back',
    async () => {
      await shop.publish({ ...event, id: 'before' });
      await store.stop();
      const refused = await shop.tryPublish({ ...event, id: 'while' });
      expect([refused.status, refused.body.code]).toEqual([503, 'store-unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      const read = await server.client.get(shop.events());
      expect([read.status, Number(read.headers.get('retry-after')) > 0]).toEqual([503, true]);
      // A probe shows no more than that, either.
      const { host, port, user } = store.connection;
      expect((await ready(503)).text).not.toMatch(new RegExp(`${host}|${port}|${user}|ECONN|postgres`, 'i'));
      expect((await server.client.get('/health/live')).status).toBe(200);
      expect((await server.client.get('/metrics')).status).toBe(200);
      await store.startAgain();
      await ready(200);
      await shop.publish({ ...event, id: 'after' });
      expect((await shop.readAll()).map(({ id }) => id)).toEqual(['before', 'after']);
    },
    LONG_MS,
  );

  it(
    'no request is let in unchecked: after a second without news of revocations known credentials are refused, too',
    async () => {
      const credentials = { email: server.adminEmail, password: server.adminPassword };
      const login = await server.client.with({}).post<{ accessToken: string }>('/auth/login', credentials);
      const bearer = { authorization: `Bearer ${login.body.accessToken}` };
      const asking = () => server.client.with({}).get('/auth/me', bearer);
      expect((await asking()).status).toBe(200);
      await store.stop();
      const refused = await until(asking, ({ body }) => body.code === 'authorization-stale', 10_000);
      expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
      await store.startAgain();
      await until(asking, ({ status }) => status === 200, 20_000);
    },
    LONG_MS,
  );

  it(
    'no acknowledged event is lost, and refused ones can be sent again',
    async () => {
      const acknowledged = new Set<string>();
      const refusals = new Set<number>();
      const enough = Promise.withResolvers<void>();
      const over = new AbortController();
      const write = async (writer: number): Promise<void> => {
        for (let n = 0; !over.signal.aborted;) {
          const id = `w${writer}-${n}`;
          const { status } = await shop.tryPublish({ ...event, id });
          if (status !== 201) {
            refusals.add(status);
            continue;
          }
          n++;
          if (acknowledged.add(id).size > 200) enough.resolve();
        }
      };
      const writers = Promise.all(Array.from({ length: 8 }, (_, i) => write(i)));
      await enough.promise;
      await store.stop();
      await ready(503);
      const sofar = acknowledged.size;
      await store.startAgain();
      await until(
        () => Promise.resolve(acknowledged.size),
        (size) => size > sofar + 50,
        30_000,
      );
      over.abort();
      await writers;
      const stored = await shop.readAll();
      expect(stored.map(({ position }) => position)).toEqual(stored.map((_, i) => i + 1));
      const ids = stored.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([]);
      expect([...refusals].filter((status) => status !== 503)).toEqual([]);
    },
    LONG_MS,
  );

  it(
    'deliveries rest, and continue in order without a loss',
    async () => {
      const receiver = await WebhookReceiver.start();
      const { id } = await shop.register(receiver.url);
      await shop.publishMany(5, 'before');
      await receiver.received(5);
      await store.stop();
      await ready(503);
      await store.startAgain();
      await ready(200);
      await shop.publishMany(5, 'after');
      await until(
        () => shop.topicStatus(id),
        ({ lag, position }) => lag.events === 0 && position === 10,
        30_000,
      );
      expect(unique(receiver.requests)).toEqual(
        [1, 2, 3, 4, 5].map((n) => `before${n}`).concat([1, 2, 3, 4, 5].map((n) => `after${n}`)),
      );
      await receiver.stop();
    },
    LONG_MS,
  );
});

describe('when the store falls silent', () => {
  it(
    'requests get their 503 in bounded time instead of hanging, and the server recovers',
    async () => {
      await shop.publish({ ...event, id: 'before' });
      store.fallSilent();
      const from = performance.now();
      const answers = await Promise.all([
        shop.tryPublish({ ...event, id: 'while' }),
        server.client.get(shop.events()),
        ready(503),
      ]);
      expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([503, 503]);
      expect(performance.now() - from).toBeLessThan(25_000);
      store.speakAgain();
      await ready(200);
      await shop.publish({ ...event, id: 'after' });
      const ids = (await shop.readAll()).map(({ id }) => id).filter((id) => id !== 'while');
      expect(ids).toEqual(['before', 'after']);
    },
    LONG_MS,
  );
});

/** Runs last, since it ends the server. */
describe('whenever the store was away', () => {
  it(
    'the log reports it at an alerting level, without the password',
    async () => {
      const before = server.output().length;
      await store.stop();
      await ready(503);
      await shop.tryPublish(event);
      await store.startAgain();
      await ready(200);
      await server.stop();
      const levels = server
        .output()
        .slice(before)
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { level: number }).level);
      expect(Math.max(...levels)).toBeGreaterThanOrEqual(40);
      expect(server.output()).not.toContain(store.connection.password);
    },
    LONG_MS,
  );
});
