import { randomUUID } from 'node:crypto';
import { sharedApp } from '../support/server/app.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
});

const order = (fields: object = {}) => ({ type: 'order.created', data: { total: 1 }, ...fields });

const expecting = (version: string) => ({ 'expected-stream-version': version });

describe('Expected-Stream-Version', () => {
  it('no-stream appends to a new stream only; otherwise 409 shows the actual version', async () => {
    const event = order({ stream: 's' });
    expect((await shop.tryPublish(event, expecting('no-stream'))).status).toBe(201);
    const { status, body } = await shop.tryPublish(event, expecting('no-stream'));
    expect([status, body.code, body['actualVersion']]).toEqual([409, 'stream-version-conflict', 1]);
  });

  it('a number appends after exactly that version', async () => {
    const event = order({ stream: 's' });
    await shop.publish([event, event]);
    const conflict = await shop.tryPublish(event, expecting('1'));
    expect([conflict.status, conflict.body['actualVersion']]).toEqual([409, 2]);
    expect((await shop.tryPublish(event, expecting('2'))).status).toBe(201);
    expect((await shop.readAll()).map(({ streamVersion }) => streamVersion)).toEqual([1, 2, 3]);
  });

  it('any appends in every case', async () => {
    for (let i = 0; i < 2; i++) {
      expect((await shop.tryPublish(order({ stream: 's' }), expecting('any'))).status).toBe(201);
    }
  });

  it('lets one of many concurrent writers of the same version win', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => shop.tryPublish(order({ stream: 's', data: i }), expecting('no-stream'))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('treats a repetition of a stored event as a duplicate, not as a conflict', async () => {
    const event = order({ id: 'first', stream: 's' });
    await shop.tryPublish(event, expecting('no-stream'));
    const again = await shop.tryPublish(event, expecting('no-stream'));
    expect([again.status, again.body.events?.[0]]).toEqual([
      201,
      expect.objectContaining({ position: 1, duplicate: true }),
    ]);
  });

  it.each(['-1', '1.5', 'latest', '1e3', '', '99999999999999999999'])('refuses the value "%s"', async (value) => {
    expect((await shop.tryPublish(order({ stream: 's' }), expecting(value))).status).toBe(400);
    expect(await shop.readAll()).toEqual([]);
  });

  it('is refused for an event without a stream', async () => {
    expect((await shop.tryPublish(order(), expecting('0'))).status).toBe(400);
  });
});

describe('Idempotency-Key', () => {
  let key: { 'idempotency-key': string };
  beforeEach(() => (key = { 'idempotency-key': randomUUID() }));

  it('returns the first response for the same request, and stores nothing again', async () => {
    const first = await shop.tryPublish(order(), key);
    const again = await shop.tryPublish(order(), key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(await shop.readAll()).toHaveLength(1);
  });

  it('with another body is 409', async () => {
    await shop.tryPublish(order(), key);
    const { status, body } = await shop.tryPublish(order({ data: 'other' }), key);
    expect([status, body.code]).toEqual([409, 'idempotency-key-reused']);
    expect(await shop.readAll()).toHaveLength(1);
  });

  it('sent many times at once stores one event', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => shop.tryPublish(order(), key)));
    for (const { status } of answers) expect([201, 409]).toContain(status);
    expect(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
    expect(await shop.readAll()).toHaveLength(1);
  });

  it('with another address is 409: it belongs to one request of its principal', async () => {
    await shop.createTopic('invoices');
    await shop.publish(order(), 'orders', key);
    expect((await shop.tryPublish(order(), key, 'invoices')).status).toBe(409);
    expect(await shop.readAll('invoices')).toEqual([]);
  });

  it('returns the same refusal for a refused request', async () => {
    const answers = [await shop.tryPublish({ type: 't' }, key), await shop.tryPublish({ type: 't' }, key)];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [400, 'event-invalid'],
      [400, 'event-invalid'],
    ]);
  });

  it('is refused if it is too long', async () => {
    expect((await shop.tryPublish(order(), { 'idempotency-key': 'k'.repeat(1_000) })).status).toBe(400);
  });
});
