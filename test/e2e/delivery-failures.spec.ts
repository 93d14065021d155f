import { sharedApp } from '../support/server/app.js';
import { WebhookReceiver, type Reaction, type Received } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let receiver: WebhookReceiver;
let witness: WebhookReceiver;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  receiver = await WebhookReceiver.start();
  witness = await WebhookReceiver.start();
});
afterEach(() => Promise.all([receiver.stop(), witness.stop()]));

const attempts = (requests: readonly Received[]) =>
  requests.map(({ headers }) => [headers['x-event-id'], headers['x-delivery-attempt']]);
const gaps = (requests: readonly Received[]) => requests.slice(1).map(({ at }, i) => at - requests[i]!.at);
const blocked = (id: string) =>
  until(
    () => shop.topicStatus(id),
    ({ state }) => state === 'blocked',
  );

describe('retries', () => {
  it('repeat the same event with rising delays and a rising attempt, and then continue in order', async () => {
    receiver.next({ status: 500 }, { status: 503 }, { status: 429 });
    await shop.register(receiver.url, {
      retry: { strategy: 'exponential', initialDelayMs: 60, multiplier: 2, jitter: 0, maxAttempts: 5 },
    });
    await shop.publishMany(2);
    const requests = await receiver.received(5);
    expect(attempts(requests)).toEqual([
      ['e1', '1'],
      ['e1', '2'],
      ['e1', '3'],
      ['e1', '4'],
      ['e2', '1'],
    ]);
    const [first, second, third] = gaps(requests) as [number, number, number];
    expect(first).toBeGreaterThanOrEqual(59);
    expect(second).toBeGreaterThanOrEqual(119);
    expect(third).toBeGreaterThanOrEqual(239);
  });

  it('keep webhook-id, so that a receiver can recognize a repetition', async () => {
    receiver.next({ status: 500 });
    await shop.register(receiver.url);
    await shop.publishMany(2);
    const seen = (await receiver.received(3)).map(({ headers }) => headers['webhook-id']);
    expect(seen[0]).toBe(seen[1]);
    expect(seen[2]).not.toBe(seen[1]);
  });

  it.each([
    ['linear', { strategy: 'linear', initialDelayMs: 50, jitter: 0 }, [50, 100]],
    ['fixed', { strategy: 'fixed', initialDelayMs: 80, jitter: 0 }, [80, 80]],
    ['schedule', { strategy: 'schedule', scheduleMs: [30, 150], jitter: 0 }, [30, 150]],
    [
      'exponential up to maxDelayMs',
      { strategy: 'exponential', initialDelayMs: 40, multiplier: 100, maxDelayMs: 60, jitter: 0 },
      [40, 60],
    ],
    ['jitter, which only adds', { strategy: 'fixed', initialDelayMs: 50, jitter: 1 }, [50, 50]],
  ])('wait as the strategy says: %s', async (_, retry, expected) => {
    receiver.next({ status: 500 }, { status: 500 });
    await shop.register(receiver.url, { retry: { ...retry, maxAttempts: 5 } });
    await shop.publishMany(1);
    const waited = gaps(await receiver.received(3));
    expected.forEach((ms, i) => expect(waited[i]).toBeGreaterThanOrEqual(ms - 1));
    for (const ms of waited) expect(ms).toBeLessThan(2_000);
  });

  it.each([
    ['seconds', () => '1', 990],
    ['a date', () => new Date(Date.now() + 2_000).toUTCString(), 900],
  ])('wait as long as Retry-After says, in %s', async (_, retryAfter, atLeast) => {
    receiver.next({ status: 503, headers: { 'retry-after': retryAfter() } });
    await shop.register(receiver.url);
    await shop.publishMany(1);
    expect(gaps(await receiver.received(2))[0]).toBeGreaterThanOrEqual(atLeast);
  });

  it.each(['99999999999', 'Fri Dec 31 23:59:59 9999'])('wait an hour when Retry-After is %s', async (value) => {
    receiver.next({ status: 503, headers: { 'retry-after': value } });
    const { id } = await shop.register(receiver.url);
    await shop.publishMany(1);
    const { nextAttemptAt, lastError } = await until(
      () => shop.topicStatus(id),
      ({ state }) => state === 'retrying',
    );
    expect(Date.parse(nextAttemptAt!) - Date.parse(lastError!.at)).toBe(3_600_000);
  });

  it.each(['banana', '-5', '', 'Thu, 01 Jan 1970 00:00:00 GMT'])('ignore a Retry-After of "%s"', async (value) => {
    receiver.next({ status: 503, headers: { 'retry-after': value } });
    await shop.register(receiver.url);
    await shop.publishMany(1);
    expect(attempts(await receiver.received(2, 3_000))[1]).toEqual(['e1', '2']);
  });
});

describe('an endpoint that fails', () => {
  const fails: readonly (readonly [string, Reaction, object])[] = [
    ['answers 500', { status: 500 }, { phase: 'response', status: 500 }],
    ['answers 404', { status: 404 }, { phase: 'response', status: 404 }],
    ['answers 304', { status: 304 }, { phase: 'response', status: 304 }],
    ['never answers', { hang: true }, { phase: 'timeout', status: null }],
    ['cuts the connection', { close: true }, { status: null }],
  ];
  it.each(fails)('is tried again, and the status shows why: it %s', async (_, reaction, lastError) => {
    receiver.always(reaction);
    const { id } = await shop.register(receiver.url, { timeoutMs: 150 });
    await shop.publishMany(1);
    await receiver.received(2);
    const status = await until(
      () => shop.topicStatus(id),
      ({ attempt }) => attempt >= 1,
    );
    expect(status).toMatchObject({ state: 'retrying', position: 0, lastError });
    expect(status.lastError!.message).toBeTruthy();
    receiver.always({});
    await until(
      () => shop.topicStatus(id),
      ({ position, state }) => position === 1 && state === 'following',
    );
  });

  it('that never ends its response body does not block the lane, and the event counts as delivered', async () => {
    receiver.next({ status: 200, drip: true });
    await shop.register(receiver.url, { timeoutMs: 150 });
    await shop.publishMany(2);
    const seen = (await receiver.received(2)).map(({ headers }) => headers['x-event-id']);
    expect(seen).toEqual(['e1', 'e2']);
  });

  it('that is not reachable gets everything in order once it is', async () => {
    const { port, url } = receiver;
    await receiver.stop();
    const { id } = await shop.register(url);
    await shop.publishMany(3);
    await until(
      () => shop.topicStatus(id),
      ({ lastError }) => lastError?.phase === 'connect',
    );
    receiver = await WebhookReceiver.start(port);
    expect((await receiver.received(3)).map(({ headers }) => headers['x-event-id'])).toEqual(['e1', 'e2', 'e3']);
  });

  it('that redirects is a failure: the redirect is not followed', async () => {
    receiver.always({ status: 307, headers: { location: witness.url } });
    const { id } = await shop.register(receiver.url);
    await shop.publishMany(1);
    await receiver.received(2);
    const { lastError } = await until(
      () => shop.topicStatus(id),
      ({ attempt }) => attempt >= 1,
    );
    expect(lastError).toMatchObject({ phase: 'response', status: 307 });
    expect(witness.requests).toEqual([]);
  });

  it('that responds with 410 is paused with its reason, and gets the same event after a resume', async () => {
    receiver.next({ status: 410 });
    const { id } = await shop.register(receiver.url);
    await shop.publishMany(2);
    const paused = await until(
      () => shop.status(id),
      ({ state }) => state === 'paused',
    );
    expect(paused.reason).toBe('gone');
    expect(receiver.requests).toHaveLength(1);
    await app.client.post(`${shop.consumer(id)}/resume`);
    expect((await receiver.received(3)).map(({ headers }) => headers['x-event-id'])).toEqual(['e1', 'e1', 'e2']);
    expect(await shop.status(id)).toMatchObject({ state: 'active', reason: null });
  });
});

describe('an exhausted event', () => {
  const retry = { strategy: 'fixed', initialDelayMs: 10, maxDelayMs: 10, jitter: 0, maxAttempts: 3 };

  it('blocks its lane, the status says so, and nothing after it is delivered', async () => {
    receiver.always({ status: 500 });
    const { id } = await shop.register(receiver.url, { retry });
    await shop.register(witness.url);
    await shop.publishMany(3);
    await witness.received(3);
    expect(await blocked(id)).toMatchObject({
      position: 0,
      attempt: 3,
      lag: { events: 3 },
      nextAttemptAt: null,
      lastError: { status: 500 },
    });
    expect((await shop.status(id)).state).toBe('degraded');
    expect(attempts(receiver.requests)).toEqual([
      ['e1', '1'],
      ['e1', '2'],
      ['e1', '3'],
    ]);
  });

  it('is tried again after a resume, with a new budget, and the rest follows', async () => {
    receiver.always({ status: 500 });
    const { id } = await shop.register(receiver.url, { retry });
    await shop.publishMany(2);
    await blocked(id);
    receiver.always({});
    await app.client.post(`${shop.consumer(id)}/resume`);
    expect((await receiver.received(5)).slice(3).map(({ headers }) => headers['x-event-id'])).toEqual(['e1', 'e2']);
    await until(
      () => shop.status(id),
      ({ state }) => state === 'active',
    );
  });

  it('does not block lanes of other consumers or topics', async () => {
    await shop.createTopic('invoices');
    receiver.always(({ headers }) => (headers['x-topic'] === 'orders' ? { status: 500 } : {}));
    const { id } = await shop.register(receiver.url, { retry, topics: [{ topic: 'orders' }, { topic: 'invoices' }] });
    await shop.publishMany(1);
    await blocked(id);
    await shop.publishMany(2, 'i', 'invoices');
    expect((await receiver.received(5)).slice(3).map(({ headers }) => headers['x-event-id'])).toEqual(['i1', 'i2']);
    expect((await shop.topicStatus(id, 'invoices')).state).toBe('following');
  });

  it('also blocks when it is exhausted by age', async () => {
    receiver.always({ status: 500 });
    const { id } = await shop.register(receiver.url, {
      retry: { ...retry, initialDelayMs: 100, maxDelayMs: 100, maxAttempts: 1_000, maxAgeSeconds: 1 },
    });
    await shop.publishMany(1);
    await blocked(id);
    expect(receiver.requests.length).toBeGreaterThan(1);
  });
});
