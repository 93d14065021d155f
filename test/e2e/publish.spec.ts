import { sharedApp } from '../support/server/app.js';
import { Workspace, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
});

const order = (fields: object = {}) => ({ type: 'order.created', data: { total: 1 }, ...fields });

describe('publishing one event', () => {
  it('returns 201 with its id, position and location', async () => {
    const answer = await shop.tryPublish(order({ id: 'o-1' }));
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      events: [{ id: 'o-1', position: 1, duplicate: false }],
      firstPosition: 1,
      lastPosition: 1,
    });
    const found = await app.client.get<ReadEvent>(answer.headers.get('location')!);
    expect(found.status).toBe(200);
    expect(found.body).toMatchObject({
      id: 'o-1',
      type: 'order.created',
      position: 1,
      data: { total: 1 },
      topic: 'orders',
    });
  });

  it('generates a new id if none is given', async () => {
    const ids = [await shop.publish(order()), await shop.publish(order())].map(({ events }) => events[0]!.id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect((await app.client.get(`${shop.events()}/${id}`)).status).toBe(200);
  });

  it('keeps every field of the producer, and adds those of the server', async () => {
    const fields = {
      id: 'full',
      key: 'customer-7',
      stream: 'order-1',
      time: '2026-01-02T03:04:05.678Z',
      schemaVersion: 3,
      correlationId: 'corr-1',
      causationId: 'cause-1',
      metadata: { source: 'till' },
    };
    await shop.publish(order(fields));
    const { body } = await app.client.get<ReadEvent>(`${shop.events()}/full`);
    expect(body).toMatchObject({ ...fields, type: 'order.created', position: 1, streamVersion: 1 });
    expect(body.recordedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(body.publishedBy).toBeTruthy();
  });

  it('updates the topic: first and last position, number of events, bytes', async () => {
    await shop.publish([order(), order(), order()]);
    const { body } = await app.client.get<Record<string, number>>(`${shop.base}/topics/orders`);
    expect(body).toMatchObject({ firstPosition: 1, lastPosition: 3, eventCount: 3 });
    expect(body['bytes']).toBeGreaterThanOrEqual(3 * '{"total":1}'.length);
  });

  it('is 404 in a topic, a namespace or a tenant that does not exist', async () => {
    const { client, tenant } = shop;
    for (const path of [
      `${shop.base}/topics/none/events`,
      `/tenants/${tenant}/namespaces/none/topics/orders/events`,
      `/tenants/none/namespaces/shop/topics/orders/events`,
    ]) {
      expect((await client.post(path, order())).status).toBe(404);
    }
  });
});

describe('publishing a batch', () => {
  it('assigns dense positions in the order of the array', async () => {
    await shop.publish(order());
    const answer = await shop.publish([order({ id: 'a' }), order({ id: 'b' }), order({ id: 'c' })]);
    expect(answer).toMatchObject({
      events: [
        { id: 'a', position: 2, duplicate: false },
        { id: 'b', position: 3, duplicate: false },
        { id: 'c', position: 4, duplicate: false },
      ],
      firstPosition: 2,
      lastPosition: 4,
    });
  });

  it('stores all or nothing: one invalid event refuses the batch', async () => {
    const { status, body } = await shop.tryPublish([order({ id: 'a' }), { data: 1 }, order({ id: 'c' })]);
    expect(status).toBe(400);
    expect(body.errors?.map(({ pointer }) => pointer)).toEqual([expect.stringMatching(/^\/1\b/)]);
    expect(await shop.readAll()).toEqual([]);
  });

  it('stores all or nothing: one conflicting id refuses the batch', async () => {
    await shop.publish(order({ id: 'taken' }));
    const { status } = await shop.tryPublish([order({ id: 'new' }), order({ id: 'taken', data: 'other' })]);
    expect(status).toBe(409);
    expect((await shop.readAll()).map(({ id }) => id)).toEqual(['taken']);
  });

  it('accepts 1,000 events and refuses 1,001 with 413', async () => {
    const events = Array.from({ length: 1_001 }, (_, i) => order({ data: i }));
    const refused = await shop.tryPublish(events);
    expect([refused.status, refused.body.code]).toEqual([413, 'batch-too-large']);
    expect(await shop.publish(events.slice(1))).toMatchObject({ firstPosition: 1, lastPosition: 1_000 });
  });

  it('refuses an empty array', async () => {
    expect((await shop.tryPublish([])).status).toBe(400);
  });
});

describe('an id', () => {
  it('is stored once: the same event again gets the first position, as a duplicate', async () => {
    await shop.publish([order({ id: 'x' }), order({ id: 'y' })]);
    const again = await shop.tryPublish(order({ id: 'x' }));
    expect(again.status).toBe(201);
    expect(again.body).toMatchObject({
      events: [{ id: 'x', position: 1, duplicate: true }],
      firstPosition: 1,
      lastPosition: 1,
    });
    expect(await shop.readAll()).toHaveLength(2);
  });

  it('within one batch is stored once', async () => {
    const { events } = await shop.publish([order({ id: 'x' }), order({ id: 'x' }), order({ id: 'z' })]);
    expect(events).toMatchObject([
      { id: 'x', position: 1, duplicate: false },
      { id: 'x', position: 1, duplicate: true },
      { id: 'z', position: 2, duplicate: false },
    ]);
  });

  it.each([
    ['data', { data: { total: 2 } }],
    ['type', { type: 'order.paid' }],
    ['key', { key: 'k' }],
    ['stream', { stream: 's' }],
    ['metadata', { metadata: { a: 1 } }],
  ])('with other %s is 409', async (_, change) => {
    await shop.publish(order({ id: 'x' }));
    const { status, body } = await shop.tryPublish(order({ id: 'x', ...change }));
    expect([status, body.code]).toEqual([409, 'event-id-conflict']);
    expect(await shop.readAll()).toHaveLength(1);
  });

  it('is separate in another topic', async () => {
    await shop.createTopic('invoices');
    await shop.publish(order({ id: 'x' }));
    expect(await shop.publish(order({ id: 'x', data: 'other' }), 'invoices')).toMatchObject({
      events: [{ position: 1, duplicate: false }],
    });
  });

  it('published by many at once is stored once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.publish(order({ id: 'race' }))));
    expect(answers.filter(({ events }) => !events[0]!.duplicate)).toHaveLength(1);
    expect(await shop.readAll()).toHaveLength(1);
  });
});

describe('X-Correlation-ID', () => {
  it('is used: it is on the response and on the event', async () => {
    const { headers } = await shop.tryPublish(order(), { 'x-correlation-id': 'checkout-99' });
    expect(headers.get('x-correlation-id')).toBe('checkout-99');
    expect((await shop.readAll())[0]!.correlationId).toBe('checkout-99');
  });

  it('is overridden by that of the event', async () => {
    await shop.publish(order({ correlationId: 'own' }), 'orders', { 'x-correlation-id': 'request' });
    expect((await shop.readAll())[0]!.correlationId).toBe('own');
  });

  it.each([
    ['missing', {}],
    ['malformed', { 'x-correlation-id': 'with space\tand tab' }],
    ['too long', { 'x-correlation-id': 'x'.repeat(5_000) }],
  ])('is generated if it is %s', async (_, sent) => {
    const { headers } = await shop.tryPublish(order(), sent as Record<string, string>);
    const made = headers.get('x-correlation-id')!;
    expect(made).toMatch(/^[\x21-\x7e]{8,128}$/);
    expect((await shop.readAll())[0]!.correlationId).toBe(made);
  });
});
