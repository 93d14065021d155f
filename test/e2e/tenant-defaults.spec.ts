import { sharedApp } from '../support/server/app.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { Workspace, type Consumer } from '../support/api/workspace.js';

interface Tenant {
  readonly version: number;
  readonly defaults: { readonly retry: object | null; readonly timeoutMs: number | null };
}

const PRODUCT = {
  strategy: 'exponential',
  initialDelayMs: 1_000,
  maxDelayMs: 3_600_000,
  multiplier: 2,
  jitter: 0.1,
  maxAttempts: 80,
  maxAgeSeconds: 259_200,
};
const RETRY = { strategy: 'fixed', initialDelayMs: 20, maxDelayMs: 20, jitter: 0, maxAttempts: 3 };

const app = await sharedApp();
let shop: Workspace;
let tenant: string;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
});

const set = (defaults: object | null) => app.client.patch<Tenant>(tenant, { defaults });
/** `retry` undefined: the consumer does not set it. */
const register = (body: object = {}): Promise<Consumer> =>
  shop.register('http://127.0.0.1:65000/', { retry: undefined, ...body });

describe('the defaults of a tenant', () => {
  it('are empty at first, set and shown, merged, and removed by null', async () => {
    expect((await app.client.get<Tenant>(tenant)).body.defaults).toEqual({ retry: null, timeoutMs: null });
    const given = await set({ retry: RETRY, timeoutMs: 700 });
    expect([given.status, given.body]).toMatchObject([200, { version: 2, defaults: { retry: RETRY, timeoutMs: 700 } }]);
    expect((await set({ retry: { maxAttempts: 9 } })).body.defaults).toEqual({
      retry: { ...RETRY, maxAttempts: 9 },
      timeoutMs: 700,
    });
    expect((await set({ retry: null })).body.defaults).toEqual({ retry: null, timeoutMs: 700 });
    expect((await set(null)).body.defaults).toEqual({ retry: null, timeoutMs: null });
    expect((await app.client.get<Tenant>(tenant)).body).toMatchObject({
      version: 5,
      defaults: { retry: null, timeoutMs: null },
    });
  });

  it('can be given with the tenant, in one change', async () => {
    const id = `${shop.tenant}-2`;
    const made = await app.client.post<Tenant>('/tenants', { id, defaults: { retry: { maxAttempts: 5 } } });
    expect([made.status, made.body]).toMatchObject([
      201,
      { version: 1, defaults: { retry: { maxAttempts: 5 }, timeoutMs: null } },
    ]);
  });

  it.each([
    ['an unknown strategy', { retry: { strategy: 'hope' } }, '/defaults/retry/strategy'],
    ['zero attempts', { retry: { maxAttempts: 0 } }, '/defaults/retry/maxAttempts'],
    ['a delay of null', { retry: { initialDelayMs: null } }, '/defaults/retry/initialDelayMs'],
    ['a schedule without delays', { retry: { strategy: 'schedule' } }, '/defaults/retry/scheduleMs'],
    ['a field of no policy', { retry: { forever: true } }, '/defaults/retry/forever'],
    ['no time at all', { timeoutMs: 0 }, '/defaults/timeoutMs'],
    ['a retention', { retention: {} }, '/defaults/retention'],
    ['a list', [], '/defaults'],
  ])('are validated like those of a consumer: %s is refused', async (_, defaults, pointer) => {
    const answers = [await set(defaults), await app.client.post<Tenant>('/tenants', { defaults })];
    for (const { status, text } of answers) {
      expect(status).toBe(400);
      expect(text).toContain(`"pointer":"${pointer}"`);
    }
    expect((await app.client.get<Tenant>(tenant)).body.version).toBe(1);
  });
});

describe('a consumer', () => {
  it('takes what it does not set from its tenant, and the rest from the product', async () => {
    expect(await register()).toMatchObject({ retry: PRODUCT, timeoutMs: 15_000 });
    await set({ retry: RETRY, timeoutMs: 700 });
    expect(await register()).toMatchObject({ retry: { ...PRODUCT, ...RETRY }, timeoutMs: 700 });
    expect(await register({ retry: { maxAttempts: 7 }, timeoutMs: 900 })).toMatchObject({
      retry: { ...PRODUCT, ...RETRY, maxAttempts: 7 },
      timeoutMs: 900,
    });
    const other = await Workspace.create(app.client);
    expect((await other.register('http://127.0.0.1:65000/', { retry: undefined })).retry).toEqual(PRODUCT);
  });

  it('keeps its values when the defaults change, until it requests them again', async () => {
    await set({ retry: { maxAttempts: 3 }, timeoutMs: 700 });
    const { id, retry } = await register();
    await set({ retry: { maxAttempts: 4 } });
    expect((await app.client.get<Consumer>(shop.consumer(id))).body.retry).toEqual(retry);
    const asked = await app.client.patch<Consumer>(shop.consumer(id), { retry: null });
    expect(asked.body).toMatchObject({ retry: { ...PRODUCT, maxAttempts: 4 }, timeoutMs: 700 });
  });

  it('is delivered to by the policy of its tenant', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.always({ status: 500 });
    await set({ retry: RETRY });
    const { id } = await shop.register(receiver.url, { retry: undefined });
    await shop.publishMany(1);
    const attempts = await receiver.received(3);
    expect(attempts.map(({ headers }) => headers['x-delivery-attempt'])).toEqual(['1', '2', '3']);
    expect((await app.client.get<Consumer>(shop.consumer(id))).body.retry['maxAttempts']).toBe(3);
    await receiver.stop();
  });

  it.each(['initialDelayMs', 'maxDelayMs', 'maxAttempts', 'maxAgeSeconds'])(
    'cannot have null for %s of its policy, which would have no meaning',
    async (field) => {
      const body = { url: 'http://127.0.0.1:65000/', topics: [{ topic: 'orders' }], retry: { [field]: null } };
      const { status, text } = await app.client.post(`${shop.base}/consumers`, body);
      expect(status).toBe(400);
      expect(text).toContain(`"pointer":"/retry/${field}"`);
    },
  );
});
