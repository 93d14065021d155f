import { Webhook } from 'standardwebhooks';
import { sharedApp } from '../support/server/app.js';
import type { Problem } from '../support/api/client.js';
import { WebhookReceiver, type Received } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let receiver: WebhookReceiver;
let witness: WebhookReceiver;

beforeEach(async () => {
  shop = await Workspace.create(app.client, ['orders', 'invoices']);
  receiver = await WebhookReceiver.start();
  witness = await WebhookReceiver.start();
});
afterEach(() => Promise.all([receiver.stop(), witness.stop()]));

const ids = (requests: readonly Received[]) => requests.map(({ headers }) => headers['x-event-id']);
const upTo = (count: number, prefix = 'e') => Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);

describe('a delivery', () => {
  it('is a POST with every header of the contract', async () => {
    await shop.register(receiver.url, {
      correlationId: 'team-7',
      headers: { 'X-Own': 'yes', Authorization: 'Bearer of-the-shop' },
    });
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await shop.publish({ id: 'e1', type: 'order.created', data: 1 }, 'orders', {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      tracestate: 'rojo=1, congo=2',
    });
    const [request] = await receiver.received(1);
    expect(request).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: {
        'content-type': expect.stringMatching(/^application\/json/),
        'x-correlation-id': 'team-7',
        'x-event-id': 'e1',
        'x-event-type': 'order.created',
        'x-topic': 'orders',
        'x-event-position': '1',
        'x-delivery-attempt': '1',
        traceparent: expect.stringMatching(new RegExp(`^00-${traceId}-[0-9a-f]{16}-[0-9a-f]{2}$`)),
        tracestate: 'rojo=1,congo=2',
        'webhook-id': expect.stringMatching(/^[\x21-\x7e]+$/),
        'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
        'webhook-signature': expect.stringMatching(/^v1,/),
        'x-own': 'yes',
        authorization: 'Bearer of-the-shop',
      },
    });
  });

  it('is signed: the Standard Webhooks library accepts it, and refuses any change', async () => {
    const { secret } = await shop.register(receiver.url);
    await shop.publish({ type: 't', data: { text: 'ä😀' } });
    const { text, headers } = (await receiver.received(1))[0]!;
    const signed = headers as Record<string, string>;
    expect(new Webhook(secret).verify(text, signed)).toEqual(JSON.parse(text));
    expect(() => new Webhook(secret).verify(text.replace('ä', 'a'), signed)).toThrow('No matching signature');
    expect(() => new Webhook(`whsec_${Buffer.alloc(32).toString('base64')}`).verify(text, signed)).toThrow(
      'No matching signature',
    );
  });

  it('contains the event as reads return it, its data byte for byte', async () => {
    await shop.register(receiver.url);
    const data = '{ "b": 123456789012345678, "a": 1.0, "a": 1e400, "__proto__": "\\u0000\\ud800" }';
    await shop.publish(`{"id":"e1","type":"t","key":"k","stream":"s","metadata":{"m":1},"data":${data}}`);
    const [{ text }] = (await receiver.received(1)) as [Received];
    expect(text).toBe((await app.client.get(`${shop.events()}/e1`)).text);
    expect(text).toContain(`"data":${data}`);
  });

  it('carries half a megabyte unchanged', async () => {
    await shop.register(receiver.url);
    const data = 'ä'.repeat(250_000);
    await shop.publish({ type: 't', data });
    expect((JSON.parse((await receiver.received(1))[0]!.text) as { data: string }).data).toBe(data);
  });
});

describe('order', () => {
  it('is that of the positions: one event after another, each once', async () => {
    await shop.register(receiver.url);
    await Promise.all(Array.from({ length: 300 }, (_, n) => shop.publish({ type: 't', data: n })));
    const requests = await receiver.received(300);
    expect(requests.map(({ headers }) => Number(headers['x-event-position']))).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });

  it('is strict: the next event waits for the response to the previous one', async () => {
    const answer = Promise.withResolvers<void>();
    receiver.next({ after: answer.promise });
    await shop.register(receiver.url);
    await shop.register(witness.url);
    await shop.publishMany(3);
    await witness.received(3);
    expect(ids(receiver.requests)).toEqual(['e1']);
    answer.resolve();
    expect(ids(await receiver.received(3))).toEqual(['e1', 'e2', 'e3']);
  });

  it('of one topic does not hold up another topic of the consumer', async () => {
    receiver.always(({ headers }) => (headers['x-topic'] === 'orders' ? { hang: true } : {}));
    await shop.register(receiver.url, { topics: [{ topic: 'orders' }, { topic: 'invoices' }] });
    await shop.publish({ type: 't', data: 1 });
    await receiver.received(1);
    await shop.publishMany(3, 'i', 'invoices');
    expect(ids(await receiver.received(4)).slice(1)).toEqual(upTo(3, 'i'));
  });
});

describe('startFrom', () => {
  it('defaults to latest: earlier events are not delivered', async () => {
    await shop.publishMany(2, 'old');
    await shop.register(receiver.url);
    await shop.publishMany(2, 'new');
    expect(ids(await receiver.received(2))).toEqual(upTo(2, 'new'));
  });

  it.each([
    ['beginning', 'beginning', ['e1', 'e2', 'e3']],
    ['latest', 'latest', []],
    ['a position', { position: 2 }, ['e2', 'e3']],
    ['the first position', { position: 1 }, ['e1', 'e2', 'e3']],
    ['a position that is still to come', { position: 4 }, []],
    ['an event', { eventId: 'e2' }, ['e2', 'e3']],
    ['a time', { time: '2000-01-01T00:00:00Z' }, ['e1', 'e2', 'e3']],
  ])('may be %s', async (_, startFrom, expected) => {
    await shop.publishMany(3);
    await shop.register(receiver.url, { topics: [{ topic: 'orders', startFrom }] });
    await shop.publish({ id: 'last', type: 't', data: 1 });
    expect(ids(await receiver.received(expected.length + 1))).toEqual([...expected, 'last']);
  });

  it('may be a time in the future: only events after it are delivered, also when the lane restarts meanwhile', async () => {
    const time = new Date(Date.now() + 800).toISOString();
    const { id } = await shop.register(receiver.url, { topics: [{ topic: 'orders', startFrom: { time } }] });
    await shop.publishMany(2, 'early');
    await app.client.post(`${shop.consumer(id)}/pause`);
    await shop.publishMany(2, 'paused');
    await app.client.post(`${shop.consumer(id)}/resume`);
    await until(
      async () => (await shop.publish({ type: 't', data: 1 }), (await shop.read('?order=desc&limit=1')).items[0]!),
      ({ recordedAt }) => recordedAt >= time,
    );
    await shop.publish({ type: 't', data: 1 });
    const meant = (await shop.readAll()).filter(({ recordedAt }) => recordedAt >= time);
    expect(ids(await receiver.received(meant.length))).toEqual(meant.map((event) => event.id));
  });

  it('beyond the next position is refused: nothing was lost there, and no gap is reported', async () => {
    await shop.publishMany(3);
    const topics = [{ topic: 'orders', startFrom: { position: 5 } }];
    const refused = await app.client.post<Problem>(`${shop.base}/consumers`, { url: receiver.url, topics });
    expect([refused.status, refused.body.code]).toEqual([404, 'place-not-found']);
    expect(refused.body.detail).toContain('the next one is 4');
  });

  it('lets a consumer that is registered again continue where the old one was: what it missed is delivered once, in order', async () => {
    const old = await shop.register(receiver.url, { id: 'again' });
    await shop.publishMany(3, 'old');
    const { position } = await until(
      () => shop.topicStatus(old.id),
      ({ lag, lastEventId }) => lastEventId !== null && lag.events === 0,
    );
    await app.client.delete(shop.consumer('again'));
    await shop.publishMany(2, 'missed');
    const topics = [{ topic: 'orders', startFrom: { position: position + 1 } }];
    await shop.register(receiver.url, { id: 'again', topics });
    await shop.publish({ id: 'last', type: 't', data: 1 });
    expect(ids(await receiver.received(6))).toEqual([...upTo(3, 'old'), ...upTo(2, 'missed'), 'last']);
  });
});

describe('the position', () => {
  it('is in the status: last event, position, lag in events and seconds', async () => {
    const answer = Promise.withResolvers<void>();
    const { id } = await shop.register(receiver.url);
    await shop.publishMany(2);
    await until(
      () => shop.topicStatus(id),
      ({ lastEventId, lag }) => lastEventId === 'e2' && lag.events === 0,
    );
    receiver.next({ after: answer.promise });
    await shop.publishMany(3, 'f');
    const behind = await until(
      () => shop.topicStatus(id),
      ({ lag }) => lag.events === 3 && lag.seconds > 0,
    );
    expect(behind).toMatchObject({ topic: 'orders', lastEventId: 'e2', position: 2, gap: null });
    answer.resolve();
    const there = await until(
      () => shop.topicStatus(id),
      ({ lag }) => lag.events === 0,
    );
    expect(there).toMatchObject({ lastEventId: 'f3', position: 5, lag: { events: 0, seconds: 0 }, state: 'following' });
    expect((await shop.status(id)).state).toBe('active');
  });

  it('stays while paused: nothing is delivered, nothing is lost', async () => {
    const { id } = await shop.register(receiver.url);
    await shop.register(witness.url);
    await shop.publishMany(1, 'before');
    await until(
      () => shop.topicStatus(id),
      ({ position }) => position === 1,
    );
    await app.client.post(`${shop.consumer(id)}/pause`);
    await shop.publishMany(5);
    await witness.received(6);
    expect(await shop.status(id)).toMatchObject({ state: 'paused', topics: [{ position: 1, lag: { events: 5 } }] });
    expect(receiver.requests).toHaveLength(1);
    await app.client.post(`${shop.consumer(id)}/resume`);
    expect(ids(await receiver.received(6)).slice(1)).toEqual(upTo(5));
  });
});

describe('other consumers', () => {
  it('are not slowed by endpoints that never answer', async () => {
    receiver.always({ hang: true });
    for (let i = 0; i < 20; i++) await shop.register(receiver.url, { timeoutMs: 30_000 });
    await shop.register(witness.url);
    await shop.publishMany(50);
    expect(ids(await witness.received(50, 5_000))).toEqual(upTo(50));
    expect(receiver.requests.map(({ headers }) => headers['x-delivery-attempt'])).toEqual(
      Array.from({ length: 20 }, () => '1'),
    );
  });

  it('of other tenants get none of the events', async () => {
    const other = await Workspace.create(app.client);
    await other.register(witness.url);
    await shop.register(receiver.url);
    await shop.publishMany(1);
    await receiver.received(1);
    await other.publishMany(1, 'own');
    expect(ids(await witness.received(1))).toEqual(['own1']);
  });
});

describe('a test delivery', () => {
  it('uses the same path, is signed, and moves no position', async () => {
    const { id, secret } = await shop.register(receiver.url, { correlationId: 'team-7' });
    const { status, body } = await app.client.post<Record<string, unknown>>(`${shop.consumer(id)}/test`);
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ delivered: true, status: 204, error: null, phase: null }),
    ]);
    const [request] = (await receiver.received(1)) as [Received];
    expect(request.headers).toMatchObject({ 'x-correlation-id': 'team-7', 'x-event-id': body['eventId'] });
    new Webhook(secret).verify(request.text, request.headers as Record<string, string>);
    expect(await shop.topicStatus(id)).toMatchObject({ position: 0, attempt: 0 });
    expect(await shop.readAll()).toEqual([]);
  });

  it('reports where it failed, and is not tried again', async () => {
    receiver.always({ status: 500, body: 'out of order' });
    const { id } = await shop.register(receiver.url);
    const { body } = await app.client.post(`${shop.consumer(id)}/test`);
    expect(body).toMatchObject({ delivered: false, status: 500, phase: 'response' });
    await receiver.stop();
    expect((await app.client.post(`${shop.consumer(id)}/test`)).body).toMatchObject({
      delivered: false,
      status: null,
      phase: 'connect',
    });
    expect(receiver.requests).toHaveLength(1);
  });
});
