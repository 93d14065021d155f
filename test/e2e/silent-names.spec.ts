import { startApp, type TestApp } from '../support/server/app.js';
import { DnsServer } from '../support/faults/dns-server.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer } from '../support/api/workspace.js';

const SILENT = 60;
const EAGER = { strategy: 'fixed', initialDelayMs: 10, maxDelayMs: 10, maxAttempts: 1_000 };

let app: TestApp;
let dns: DnsServer;
let receiver: WebhookReceiver;
let shop: Workspace;
let evil: Workspace;

beforeAll(async () => {
  dns = await DnsServer.start((name) => (name.endsWith('.attacker.example') ? 'silent' : ['127.0.0.1']));
  receiver = await WebhookReceiver.start();
  app = await startApp({ env: { DELIVERY_DNS_SERVERS: dns.address, DELIVERY_THREADS: '1' } });
  shop = await Workspace.create(app.client);
  evil = await Workspace.create(app.client);
});
afterAll(async () => {
  await app?.stop();
  await Promise.all([dns?.stop(), receiver?.stop()]);
});

/** From the main thread, and from the delivery thread. */
async function expectDelivered(name: string): Promise<void> {
  receiver.always({ headers: { connection: 'close' } });
  const { id } = await shop.register(`http://${name}:${receiver.port}/hook`, { topics: [{ topic: 'orders' }] });
  const { body } = await app.client.post<{ delivered: boolean }>(`${shop.consumer(id)}/test`);
  expect(body).toMatchObject({ delivered: true });
  const { position } = (await shop.publish({ type: 'order.created', data: {} })).events[0]!;
  const status = await until(
    () => shop.topicStatus(id),
    (topic) => topic.position >= position || topic.state === 'retrying',
  );
  expect(status).toMatchObject({ state: 'following', lastError: null });
  await app.client.delete(shop.consumer(id));
}

describe('sixty names whose DNS server does not respond', () => {
  it('delay no delivery of another tenant, neither during their look-up nor after their deletion', async () => {
    await evil.publishMany(1);
    const registered = await Promise.all(
      Array.from({ length: SILENT }, (_, i) =>
        app.client.post<Consumer>(`${evil.base}/consumers`, {
          url: `http://w${i}.attacker.example/`,
          topics: [{ topic: 'orders', startFrom: 'beginning' }],
          retry: EAGER,
        }),
      ),
    );
    expect(new Set(registered.map(({ status }) => status))).toEqual(new Set([201]));
    await until(
      () => evil.topicStatus(registered[0]!.body.id),
      ({ state }) => state === 'retrying',
    );
    await expectDelivered('one.shop.example');
    await expectDelivered('localhost');

    await Promise.all(registered.map(({ body }) => app.client.delete(evil.consumer(body.id))));
    await expectDelivered('two.shop.example');
  });
});

it('an attempt at a name that did not resolve is repeated only after some seconds', async () => {
  const { id } = await evil.register('http://late.attacker.example/', { retry: EAGER });
  await evil.publishMany(1, 'late');
  const { lastError, nextAttemptAt } = await until(
    () => evil.topicStatus(id),
    ({ state }) => state === 'retrying',
  );
  expect(lastError!.phase).toBe('dns');
  expect(Date.parse(nextAttemptAt!) - Date.parse(lastError!.at)).toBeGreaterThanOrEqual(5_000);
  await app.client.delete(evil.consumer(id));
});
