import { sharedApp } from '../support/server/app.js';
import type { Problem } from '../support/api/client.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { Workspace, type Consumer, type Page } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let receiver: WebhookReceiver;
let witness: WebhookReceiver;

beforeEach(async () => {
  [receiver, witness] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
  shop = await Workspace.create(app.client);
  await shop.register(witness.url);
});
afterEach(() => Promise.all([receiver.stop(), witness.stop()]));

describe('a change of a consumer', () => {
  it('is in force before its response: nothing is sent after a pause, or to the earlier address', async () => {
    const { id } = await shop.register(receiver.url);
    let sent = 0;
    for (let round = 0; round < 10; round++) {
      await app.client.post(`${shop.consumer(id)}/pause`);
      await shop.publish({ type: 't', data: round });
      await witness.received(++sent);
      expect(receiver.requests).toHaveLength(sent - 1);
      await app.client.post(`${shop.consumer(id)}/resume`);
      await receiver.received(sent);
    }
    await app.client.patch(shop.consumer(id), { url: witness.url });
    await shop.publish({ type: 't', data: 'moved' });
    await witness.received(sent + 2);
    expect(receiver.requests).toHaveLength(sent);
  });

  it('is merged with concurrent ones: none is lost', async () => {
    const { id } = await shop.register(receiver.url, { headers: { 'x-0': 'a' } });
    const patches = [{ maxAttempts: 7 }, { maxAgeSeconds: 77 }, { maxDelayMs: 777 }].map((retry, i) =>
      app.client.patch(shop.consumer(id), { retry, headers: { [`x-${i + 1}`]: 'a' } }),
    );
    expect((await Promise.all(patches)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const { body } = await app.client.get<Consumer>(shop.consumer(id));
    expect(body).toMatchObject({ retry: { maxAttempts: 7, maxAgeSeconds: 77, maxDelayMs: 777 } });
    expect(Object.keys(body.headers).toSorted()).toEqual(['x-0', 'x-1', 'x-2', 'x-3']);
  });

  it('never leads to more headers than a registration may have', async () => {
    const headers = (from: number, count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${from + i}`, 'a']));
    const { id } = await shop.register(receiver.url, { headers: headers(0, 32) });
    const patch = (body: unknown) => app.client.patch<Problem>(shop.consumer(id), { headers: body });
    const { status, body } = await patch(headers(32, 1));
    expect([status, body.code, body.errors]).toEqual([
      400,
      'consumer-invalid',
      [{ pointer: '/headers', detail: 'must leave the consumer with at most 32 headers' }],
    ]);
    expect((await patch({ 'x-0': null, ...headers(32, 1), X_1: 'b' })).status).toBe(200);
    const { body: shown } = await app.client.get<Consumer>(shop.consumer(id));
    expect(Object.keys(shown.headers)).toHaveLength(32);
  });
});

describe('a consumer', () => {
  it('does not show a deleted topic; without topics it rests until it gets one', async () => {
    await shop.createTopic('returns');
    const { id } = await shop.register(receiver.url);
    const { id: other } = await shop.register(witness.url, { topics: [{ topic: 'orders' }, { topic: 'returns' }] });
    const shown = async () => {
      const { body: page } = await app.client.get<Page<Consumer>>(`${shop.base}/consumers`);
      const [one, status] = [(await app.client.get<Consumer>(shop.consumer(id))).body, await shop.status(id)];
      expect(page.items.find((consumer) => consumer.id === id)).toMatchObject({ topics: one.topics, state: one.state });
      expect(page.items.find((consumer) => consumer.id === other)!.topics).toEqual([{ topic: 'returns' }]);
      return [one.topics, one.state, one.pauseReason, status.topics, status.state, status.reason];
    };
    const resting = [[], 'paused', 'topics-deleted', [], 'paused', 'topics-deleted'];
    expect((await app.client.delete(`${shop.base}/topics/orders`)).status).toBe(204);
    expect(await shown()).toEqual(resting);
    // A new topic of the same name is another topic: the consumer has not subscribed to it.
    await shop.createTopic('orders');
    await shop.publish({ type: 't', data: 1, id: 'not-asked-for' });
    await app.client.post(`${shop.consumer(id)}/resume`);
    expect(await shown()).toEqual(resting);
    expect((await app.client.patch<Consumer>(shop.consumer(id), { topics: [{ topic: 'orders' }] })).body).toMatchObject(
      {
        state: 'active',
        pauseReason: null,
      },
    );
    await shop.publish({ type: 't', data: 1, id: 'asked-for' });
    expect((await receiver.received(1))[0]!.headers['x-event-id']).toBe('asked-for');
  });
});
