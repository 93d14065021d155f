import { sharedApp } from '../support/server/app.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer, type Page } from '../support/api/workspace.js';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const URL_OF_NOBODY = 'http://127.0.0.1:65000/hook';

const app = await sharedApp();
let shop: Workspace;
let receiver: WebhookReceiver;

beforeEach(async () => {
  shop = await Workspace.create(app.client, ['orders', 'invoices', 'returns']);
  receiver = await WebhookReceiver.start();
});
afterEach(() => receiver.stop());

const get = (id: string) => app.client.get<Consumer>(shop.consumer(id));
const patch = (id: string, body: object, headers = {}) => app.client.patch<Consumer>(shop.consumer(id), body, headers);
const tryRegister = (body: object) => app.client.post(`${shop.base}/consumers`, body);
const minimal = { url: URL_OF_NOBODY, topics: [{ topic: 'orders' }] };

describe('registering', () => {
  it('returns 201 with the consumer, its location, and its secret', async () => {
    const answer = await app.client.post<Consumer>(`${shop.base}/consumers`, {
      ...minimal,
      id: 'mailer',
      name: 'Mailer',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toMatch(new RegExp(`${shop.base}/consumers/mailer$`));
    expect(answer.body).toMatchObject({
      id: 'mailer',
      name: 'Mailer',
      url: URL_OF_NOBODY,
      topics: [{ topic: 'orders' }],
      state: 'active',
    });
    expect(answer.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/);
  });

  it('shows the secret once: no other response has it', async () => {
    const { id, secret } = await shop.register(URL_OF_NOBODY);
    const answers = [
      await get(id),
      await app.client.get(`${shop.base}/consumers`),
      await patch(id, { name: 'other' }),
      await app.client.get(`${shop.consumer(id)}/status`),
    ];
    for (const { text } of answers) {
      expect(text).not.toContain('whsec_');
      expect(text).not.toContain(secret.slice('whsec_'.length));
    }
  });

  it('generates a prefixed id, and refuses one that is taken', async () => {
    const first = await shop.register(URL_OF_NOBODY);
    expect(first.id).toMatch(/^con_[a-z0-9]+$/);
    await shop.register(URL_OF_NOBODY, { id: 'mailer' });
    expect((await tryRegister({ ...minimal, id: 'mailer' })).body).toMatchObject({
      status: 409,
      code: 'consumer-exists',
    });
  });

  it('does not show values of headers that may be credentials', async () => {
    const { id } = await shop.register(URL_OF_NOBODY, { headers: { authorization: 'Bearer tell-nobody' } });
    const { text, body } = await get(id);
    expect(Object.keys(body.headers)).toEqual(['authorization']);
    expect(text).not.toContain('tell-nobody');
  });

  it.each([
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['an unknown field of a topic', { topics: [{ topic: 'orders', from: 1 }] }, 'from'],
    ['an invalid url', { url: 'shop' }, 'url'],
    ['no topics', { topics: [] }, 'topics'],
    ['a topic twice', { topics: [{ topic: 'orders' }, { topic: 'orders' }] }, 'topics'],
    ['a fractional timeout', { timeoutMs: 100.5 }, 'timeoutMs'],
    ['a negative timeout', { timeoutMs: -1 }, 'timeoutMs'],
    ['an unknown ordering', { ordering: 'random' }, 'ordering'],
    ['an unknown strategy', { retry: { strategy: 'hope' } }, 'retry'],
    ['zero attempts', { retry: { maxAttempts: 0 } }, 'retry'],
    ['a header with a line break', { headers: { 'x-a': 'b\r\nx-injected: c' } }, 'headers'],
    ['a header that the delivery owns', { headers: { 'webhook-signature': 'v1,forged' } }, 'headers'],
    ['a header of the connection', { headers: { host: 'inside' } }, 'headers'],
    ['a bad id', { id: '../up' }, 'id'],
    ['a number for a name', { name: 7 }, 'name'],
    ['a startFrom far out of range', { topics: [{ topic: 'orders', startFrom: { position: -5 } }] }, 'startFrom'],
  ])('is refused with a pointer to the error: %s', async (_, change, place) => {
    const { status, body } = await tryRegister({ ...minimal, ...change });
    expect(status).toBe(400);
    expect(JSON.stringify(body.errors ?? body.detail)).toContain(place);
    expect((await app.client.get<Page<Consumer>>(`${shop.base}/consumers`)).body.items).toEqual([]);
  });

  it('is refused for a topic that does not exist', async () => {
    const { status } = await tryRegister({ ...minimal, topics: [{ topic: 'orders' }, { topic: 'none' }] });
    expect([400, 404]).toContain(status);
  });

  it('with an Idempotency-Key is done once, and shows the same secret again', async () => {
    const key = { 'idempotency-key': `register-${shop.tenant}` };
    const first = await app.client.post<Consumer>(`${shop.base}/consumers`, minimal, key);
    const again = await app.client.post<Consumer>(`${shop.base}/consumers`, minimal, key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect((await app.client.get<Page<Consumer>>(`${shop.base}/consumers`)).body.items).toHaveLength(1);
  });
});

describe('the correlation id', () => {
  it('is optional: without it each consumer gets a new UUID v4', async () => {
    const made = [await shop.register(URL_OF_NOBODY), await shop.register(URL_OF_NOBODY)].map(
      ({ correlationId }) => correlationId,
    );
    for (const id of made) expect(id).toMatch(UUID_V4);
    expect(new Set(made).size).toBe(2);
  });

  it('is kept as it was given, and need not be unique', async () => {
    const ids = [
      await shop.register(URL_OF_NOBODY, { correlationId: 'Team-A/7' }),
      await shop.register(URL_OF_NOBODY, { correlationId: 'Team-A/7' }),
    ];
    expect(ids.map(({ correlationId }) => correlationId)).toEqual(['Team-A/7', 'Team-A/7']);
  });

  it('is in each response about the consumer', async () => {
    const { id } = await shop.register(URL_OF_NOBODY, { correlationId: 'corr-1' });
    const list = await app.client.get<Page<Consumer>>(`${shop.base}/consumers`);
    expect((await get(id)).body.correlationId).toBe('corr-1');
    expect(list.body.items[0]!.correlationId).toBe('corr-1');
    expect((await patch(id, { name: 'x' })).body.correlationId).toBe('corr-1');
    expect((await shop.status(id)).correlationId).toBe('corr-1');
  });

  it('is on each delivery; after a PATCH it is the new one', async () => {
    const { id } = await shop.register(receiver.url, { correlationId: 'before' });
    await shop.publish({ type: 't', data: 1 });
    expect((await receiver.received(1))[0]!.headers['x-correlation-id']).toBe('before');
    expect((await patch(id, { correlationId: 'after' })).body.correlationId).toBe('after');
    await shop.publish({ type: 't', data: 2 });
    expect((await receiver.received(2))[1]!.headers['x-correlation-id']).toBe('after');
  });

  it.each([
    ['129 characters', 'x'.repeat(129)],
    ['nothing', ''],
    ['a line break', 'a\nb'],
    ['a character beyond ASCII', 'ä'],
    ['a number', 7],
  ])('is refused: %s', async (_, correlationId) => {
    expect((await tryRegister({ ...minimal, correlationId })).status).toBe(400);
    const { id } = await shop.register(URL_OF_NOBODY);
    expect((await patch(id, { correlationId })).status).toBe(400);
  });

  it('may have up to 128 visible characters', async () => {
    const correlationId = `!~${'x'.repeat(126)}`;
    expect((await shop.register(URL_OF_NOBODY, { correlationId })).correlationId).toBe(correlationId);
  });
});

describe('changing', () => {
  it('merges what is given, keeps the rest, and counts the version', async () => {
    const { id, version } = await shop.register(URL_OF_NOBODY, {
      name: 'old',
      headers: { 'x-a': '1', 'x-b': '2' },
      timeoutMs: 500,
    });
    const { status, body } = await patch(id, { name: 'new', headers: { 'x-a': null, 'x-c': '3' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, name: 'new', url: URL_OF_NOBODY, timeoutMs: 500 });
    expect(Object.keys(body.headers).toSorted()).toEqual(['x-b', 'x-c']);
    expect(body.version).toBeGreaterThan(version);
    expect((await get(id)).body).toEqual(body);
  });

  it('succeeds with If-Match of the current version; a stale one is 412 and changes nothing', async () => {
    const { id } = await shop.register(URL_OF_NOBODY, { name: 'old' });
    const etag = (await get(id)).headers.get('etag')!;
    expect(etag).toMatch(/^(W\/)?".+"$/);
    expect((await patch(id, { name: 'new' }, { 'if-match': etag })).status).toBe(200);
    expect((await patch(id, { name: 'newest' }, { 'if-match': etag })).status).toBe(412);
    expect((await get(id)).body.name).toBe('new');
    expect((await app.client.delete(shop.consumer(id), { 'if-match': etag })).status).toBe(412);
  });

  it.each([
    ['an unknown field', { colour: 'red' }],
    ['the id', { id: 'other' }],
    ['the secret', { secret: 'whsec_b3du' }],
    ['an invalid url', { url: 'ftp://127.0.0.1/' }],
    ['no url', { url: null }],
    ['no topics', { topics: [] }],
    ['an array', []],
    ['a string', '"text"'],
  ])('is refused: %s', async (_, body) => {
    const { id } = await shop.register(URL_OF_NOBODY);
    const before = (await get(id)).text;
    expect((await patch(id, body as object)).status).toBe(400);
    expect((await get(id)).text).toBe(before);
  });

  it('the url moves all further deliveries', async () => {
    const { id } = await shop.register(receiver.url);
    await shop.publish({ type: 't', data: 1, id: 'one' });
    await receiver.received(1);
    const second = await WebhookReceiver.start();
    try {
      await patch(id, { url: second.url });
      await shop.publish({ type: 't', data: 2, id: 'two' });
      expect((await second.received(1))[0]!.headers['x-event-id']).toBe('two');
      expect(receiver.requests).toHaveLength(1);
    } finally {
      await second.stop();
    }
  });

  it('the topics: a kept one keeps its position, a new one starts where it is told to, a removed one is silent', async () => {
    await shop.publishMany(3, 'i', 'invoices');
    const { id } = await shop.register(receiver.url, { topics: [{ topic: 'orders' }, { topic: 'returns' }] });
    await shop.publishMany(2, 'o');
    await receiver.received(2);
    await until(
      () => shop.topicStatus(id),
      ({ position }) => position === 2,
    );
    const changed = await patch(id, { topics: [{ topic: 'orders' }, { topic: 'invoices', startFrom: 'beginning' }] });
    expect(changed.body.topics.map(({ topic }) => topic).toSorted()).toEqual(['invoices', 'orders']);
    expect((await receiver.received(5)).slice(2).map(({ headers }) => headers['x-event-id'])).toEqual([
      'i1',
      'i2',
      'i3',
    ]);
    await shop.publish({ type: 't', data: 1, id: 'gone' }, 'returns');
    await shop.publish({ type: 't', data: 1, id: 'last' });
    expect((await receiver.received(6))[5]!.headers['x-event-id']).toBe('last');
    expect((await shop.status(id)).topics.map(({ topic }) => topic).toSorted()).toEqual(['invoices', 'orders']);
  });
});

describe('listing and deleting', () => {
  it('lists in pages, each consumer once, of this namespace only', async () => {
    for (let i = 0; i < 5; i++) await shop.register(URL_OF_NOBODY, { id: `c${i}` });
    const other = await Workspace.create(app.client);
    await other.register(URL_OF_NOBODY, { id: 'foreign' });
    const path = `${shop.base}/consumers?limit=3`;
    const first = (await app.client.get<Page<Consumer>>(path)).body;
    const second = (await app.client.get<Page<Consumer>>(`${path}&cursor=${encodeURIComponent(first.nextCursor!)}`))
      .body;
    expect([...first.items, ...second.items].map(({ id }) => id).toSorted()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
    expect(second.nextCursor).toBeNull();
    expect(
      (await app.client.get(`${other.base}/consumers?cursor=${encodeURIComponent(first.nextCursor!)}`)).status,
    ).toBe(400);
    expect((await get('foreign')).status).toBe(404);
  });

  it('deletes: 204, then 404 everywhere, and no further delivery', async () => {
    const { id } = await shop.register(receiver.url);
    const witness = await WebhookReceiver.start();
    await shop.register(witness.url);
    expect((await app.client.delete(shop.consumer(id))).status).toBe(204);
    for (const path of ['', '/status']) expect((await app.client.get(`${shop.consumer(id)}${path}`)).status).toBe(404);
    for (const path of ['/pause', '/resume', '/test'])
      expect((await app.client.post(`${shop.consumer(id)}${path}`)).status).toBe(404);
    expect((await app.client.delete(shop.consumer(id))).status).toBe(404);
    await shop.publish({ type: 't', data: 1 });
    await witness.received(1);
    await witness.stop();
    expect(receiver.requests).toEqual([]);
  });

  it('pauses and resumes; a second call changes nothing', async () => {
    const { id } = await shop.register(URL_OF_NOBODY);
    for (let i = 0; i < 2; i++) {
      expect((await app.client.post<Consumer>(`${shop.consumer(id)}/pause`)).body.state).toBe('paused');
    }
    expect((await shop.status(id)).state).toBe('paused');
    for (let i = 0; i < 2; i++) {
      expect((await app.client.post<Consumer>(`${shop.consumer(id)}/resume`)).body.state).toBe('active');
    }
  });

  it('a consumer of another tenant is 404 on every route', async () => {
    const { id } = await shop.register(URL_OF_NOBODY);
    const other = await Workspace.create(app.client);
    expect((await app.client.get(other.consumer(id))).status).toBe(404);
    expect((await app.client.patch(other.consumer(id), { name: 'x' })).status).toBe(404);
    expect((await app.client.delete(other.consumer(id))).status).toBe(404);
    expect((await get(id)).status).toBe(200);
  });
});
