import { sharedApp } from '../support/server/app.js';
import { newPerson } from '../support/api/strangers.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let tenant: string;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
});

const limit = async (limits: object): Promise<number> => (await app.client.patch(tenant, { limits })).status;

describe('a suspended tenant', () => {
  it('refuses all callers, rests its deliveries, and continues without a loss', async () => {
    const receiver = await WebhookReceiver.start();
    const member = await newPerson(app);
    await app.client.request('PUT', `${tenant}/members/${member.userId}`, { roles: ['owner'] });
    const { id } = await shop.register(receiver.url);
    await shop.publishMany(2);
    await receiver.received(2);
    const { body } = await app.client.post<{ state: string }>(`${tenant}/suspend`, { reason: 'unpaid' });
    expect(body).toMatchObject({ state: 'suspended', reason: 'unpaid' });
    for (const [method, path] of [
      ['GET', shop.events()],
      ['GET', `${shop.base}/topics`],
      ['POST', shop.events()],
      ['GET', tenant],
    ] as const) {
      const answer = await member.client.request(method, path, method === 'POST' ? { type: 't', data: 1 } : undefined);
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'tenant-suspended']);
    }
    expect((await app.client.get(shop.events())).body.code).toBe('tenant-suspended');
    expect((await app.client.get<{ state: string }>(tenant)).body.state).toBe('suspended');
    expect((await app.client.post<{ state: string }>(`${tenant}/activate`)).body.state).toBe('active');
    await shop.publishMany(2, 'after');
    expect((await receiver.received(4)).map(({ headers }) => headers['x-event-position'])).toEqual([
      '1',
      '2',
      '3',
      '4',
    ]);
    expect((await shop.status(id)).state).toBe('active');
    await receiver.stop();
  });

  it('sends no waiting event until it is activated', async () => {
    const [receiver, witness] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
    const retry = { strategy: 'fixed', initialDelayMs: 20, maxDelayMs: 20, jitter: 0, maxAttempts: 1_000 };
    for (const one of [receiver, witness]) one.always({ status: 503 });
    await shop.register(receiver.url, { retry });
    await shop.publishMany(1);
    await receiver.received(2);
    await app.client.post(`${tenant}/suspend`, {});
    // Lanes that start now do so after those of the suspended tenant have ended, attempts under way included.
    const other = await Workspace.create(app.client);
    await other.register(witness.url, { retry });
    await other.publishMany(1);
    await witness.received(1);
    const attempts = receiver.requests.length;
    await witness.received(6);
    expect(receiver.requests).toHaveLength(attempts);
    receiver.always({});
    await app.client.post(`${tenant}/activate`);
    expect((await receiver.received(attempts + 1)).at(-1)!.headers['x-event-id']).toBe('e1');
    await Promise.all([receiver.stop(), witness.stop()]);
  });
});

describe('limits of a tenant', () => {
  it('on topics and consumers refuse one more, also of many concurrent ones', async () => {
    expect(await limit({ topics: 3, consumers: 1 })).toBe(200);
    const made = await Promise.all(
      Array.from({ length: 6 }, (_, i) => app.client.post(`${shop.base}/topics`, { id: `t${i}` })),
    );
    expect(made.map(({ status }) => status).toSorted()).toEqual([201, 201, 409, 409, 409, 409]);
    expect(made.find(({ status }) => status === 409)!.body.code).toBe('tenant-limit-reached');
    await shop.register('http://127.0.0.1:65000/');
    await expect(shop.register('http://127.0.0.1:65000/')).rejects.toThrow('tenant-limit-reached');
    expect(await limit({ topics: null })).toBe(200);
    expect((await app.client.post(`${shop.base}/topics`, { id: 'more' })).status).toBe(201);
  });

  it('on events a second return 429 with the time to wait, and show the rest before', async () => {
    await limit({ eventsPerSecond: 5 });
    const first = await shop.tryPublish({ type: 't', data: 1 });
    expect(first.headers.get('ratelimit-policy')).toBe('"tenant";q=5;w=1');
    expect(first.headers.get('ratelimit')).toMatch(/^"tenant";r=[0-4];t=1$/);
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.tryPublish({ type: 't', data: 1 })));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect([answer.status, answer.body.code]).toEqual([429, 'tenant-rate-limited']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    const other = await Workspace.create(app.client);
    await other.publishMany(10);
  });

  it('on storage refuse what does not fit, and do not affect other tenants', async () => {
    await limit({ storageBytes: 1_000 });
    const data = 'x'.repeat(400);
    expect((await shop.tryPublish({ type: 't', data })).status).toBe(201);
    expect((await shop.tryPublish({ type: 't', data })).status).toBe(201);
    const refused = await shop.tryPublish({ type: 't', data });
    expect([refused.status, refused.body.code]).toEqual([429, 'tenant-storage-full']);
    expect(await shop.readAll()).toHaveLength(2);
  });

  it.each([
    ['a negative number', { topics: -1 }],
    ['a fraction', { eventsPerSecond: 1.5 }],
    ['a text', { storageBytes: '10' }],
    ['an unknown limit', { moons: 1 }],
  ])('do not accept %s', async (_, limits) => {
    expect(await limit(limits)).toBe(400);
  });
});
