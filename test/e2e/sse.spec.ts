import { once } from 'node:events';
import { connect } from 'node:net';
import { sharedApp, startProcess } from '../support/server/app.js';
import { EventStream, type Message } from '../support/api/event-stream.js';
import { until, Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
const open: EventStream[] = [];

beforeEach(async () => {
  shop = await Workspace.create(app.client);
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

async function follow(query = '', lastEventId?: string): Promise<EventStream> {
  const stream = await EventStream.open(app.client, `${shop.events()}${query}`, lastEventId);
  open.push(stream);
  return stream;
}
const ids = (messages: readonly Message[]) => messages.map(({ event }) => event.id);

describe('Server-Sent Events', () => {
  it('send the history, then new events, in order and without a gap', async () => {
    await shop.publishMany(3, 'old');
    const stream = await follow();
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
    expect(ids(await stream.received(3))).toEqual(['old1', 'old2', 'old3']);
    await shop.publishMany(3, 'new');
    expect(ids(await stream.received(6)).slice(3)).toEqual(['new1', 'new2', 'new3']);
  });

  it('show an event as reads do', async () => {
    await shop.publish({ id: 'e1', type: 't', key: 'k', data: { text: 'a\nb\r\n\u2028' }, metadata: { m: 1 } });
    const [{ event }] = (await (await follow()).received(1)) as [Message];
    expect(event).toEqual((await shop.read()).items[0]);
  });

  it('do not break if data contains line breaks as white space', async () => {
    await shop.publish('{"id":"e1","type":"t","data":{\n\r\n "a":\n\n 1 }}');
    await shop.publish({ id: 'e2', type: 't', data: 2 });
    const messages = await (await follow()).received(2);
    expect(messages.map(({ event }) => event.data)).toEqual([{ a: 1 }, 2]);
  });

  it('have no gap between history and live while many publish', async () => {
    const storm = Promise.all(Array.from({ length: 200 }, (_, n) => shop.publish({ type: 't', data: n })));
    const stream = await follow();
    await storm;
    expect((await stream.received(200)).map(({ event }) => event.position)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  });

  it('resume after Last-Event-ID: the id of the last received message', async () => {
    await shop.publishMany(5);
    const seen = (await (await follow()).received(2))[1]!;
    expect(ids(await (await follow('', seen.id)).received(3))).toEqual(['e3', 'e4', 'e5']);
  });

  it('resume after `after`, by position and by event', async () => {
    await shop.publishMany(5);
    for (const after of ['3', 'e3', '{"eventId":"e3"}']) {
      expect(ids(await (await follow(`?after=${encodeURIComponent(after)}`)).received(2))).toEqual(['e4', 'e5']);
    }
  });

  it('use Last-Event-ID if both are given: a browser repeats the first address when it reconnects', async () => {
    await shop.publishMany(5);
    const seen = (await (await follow('?after=1')).received(3))[2]!;
    expect(ids(await (await follow('?after=1', seen.id)).received(1))).toEqual(['e5']);
  });

  it('start with new events after latest', async () => {
    await shop.publishMany(2, 'old');
    const stream = await follow('?after=latest');
    await shop.publishMany(1, 'new');
    expect(ids(await stream.received(1))).toEqual(['new1']);
  });

  it('respect filters, in history and live', async () => {
    await shop.publish([
      { id: 'a1', type: 'a', data: 1 },
      { id: 'b1', type: 'b', data: 2 },
      { id: 'a2', type: 'a', data: 3 },
    ]);
    const stream = await follow('?type=a');
    await stream.received(2);
    await shop.publish([
      { id: 'b2', type: 'b', data: 4 },
      { id: 'a3', type: 'a', data: 5 },
    ]);
    expect(ids(await stream.received(3))).toEqual(['a1', 'a2', 'a3']);
  });

  it('send everything to each reader', async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => follow()));
    await shop.publishMany(10);
    const all = Array.from({ length: 10 }, (_, i) => `e${i + 1}`);
    for (const stream of streams) expect(ids(await stream.received(10))).toEqual(all);
  });

  it.each([
    ['order', '?order=desc'],
    ['to', '?to=2030-01-01T00:00:00Z'],
    ['before', '?before=5'],
    ['limit', '?limit=5'],
    ['filter', '?filter=%3D%3D'],
  ])('are refused with a bad %s', async (_, query) => {
    const { status } = await app.client.get(`${shop.events()}${query}`, { accept: 'text/event-stream' });
    expect(status).toBe(400);
  });

  it('are refused after a place that does not exist', async () => {
    const accept = { accept: 'text/event-stream' };
    expect((await app.client.get(shop.events(), { ...accept, 'last-event-id': 'none' })).status).toBe(404);
    expect((await app.client.get(`${shop.events()}?after=none`, accept)).status).toBe(404);
    expect((await app.client.get(shop.events('none'), accept)).status).toBe(404);
  });

  it.each(['application/json', 'application/x-ndjson', 'text/event-stream'])(
    'are refused beyond the end, like every read, since events before that place would be passed over: %s',
    async (accept) => {
      await shop.publishMany(3);
      const asked = ['?after=5', '?after=5&type=a', `?after=${encodeURIComponent('{"position":5}')}`].map((query) =>
        app.client.get(`${shop.events()}${query}`, { accept }),
      );
      if (accept === 'text/event-stream') asked.push(app.client.get(shop.events(), { accept, 'last-event-id': '5' }));
      for (const { status, body } of await Promise.all(asked)) {
        const detail = 'There is no position 5 in the topic; the last one is 3.';
        expect([status, body.code, body.detail]).toEqual([404, 'place-not-found', detail]);
      }
    },
  );

  it('do not resume after an id of a former topic with the same name', async () => {
    await shop.publishMany(1, 'old');
    const [seen] = await (await follow()).received(1);
    await app.client.delete(`${shop.base}/topics/orders`);
    await shop.createTopic('orders');
    await shop.publishMany(3, 'new');
    const answer = await app.client.get(shop.events(), { accept: 'text/event-stream', 'last-event-id': seen!.id });
    expect([answer.status, answer.body.code]).toEqual([404, 'place-not-found']);
  });

  it.each(['from=', 'after={"time":"'])('from a time in the future show nothing from before it: %s', async (begin) => {
    const time = new Date(Date.now() + 500).toISOString();
    const [name, place] = begin.split(/=(.*)/s) as [string, string];
    const stream = await follow(`?${name}=${encodeURIComponent(place === '' ? time : `${place}${time}"}`)}`);
    await until(
      async () => (await shop.publish({ type: 't', data: 1 }), (await shop.read('?order=desc&limit=1')).items[0]!),
      ({ recordedAt }) => recordedAt >= time,
    );
    const meant = (await shop.readAll()).filter(({ recordedAt }) => recordedAt >= time);
    expect(ids(await stream.received(meant.length))).toEqual(meant.map(({ id }) => id));
  });

  it.each([
    ['topic', () => `${shop.base}/topics/orders`],
    ['namespace', () => `${shop.base}?force=true`],
    ['tenant', () => `/tenants/${shop.tenant}?force=true`],
  ])('end when their resource is deleted: the %s', async (_, path) => {
    await shop.publishMany(2);
    const stream = await follow();
    await stream.received(2);
    const end = stream.rest();
    expect((await app.client.delete(path())).status).toBe(204);
    expect(ids(await end)).toEqual(['e1', 'e2']);
  });

  it('break as NDJSON when their resource is deleted: a cut-off response does not look complete', async () => {
    const data = 'x'.repeat(400_000);
    for (let i = 0; i < 3; i++) await shop.publish(Array.from({ length: 20 }, () => ({ type: 't', data })));
    const { body } = await app.client.open('GET', shop.events(), undefined, { accept: 'application/x-ndjson' });
    const reader = body!.getReader();
    await reader.read();
    await app.client.delete(`${shop.base}/topics/orders`);
    const toTheEnd = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await expect(toTheEnd()).rejects.toThrow('terminated');
  });

  it('end when the server stops; neither they nor idle connections delay it', async () => {
    const server = await startProcess();
    const own = await Workspace.create(server.client);
    await own.publishMany(2);
    const stream = await EventStream.open(server.client, own.events());
    await stream.received(2);
    const end = stream.rest();
    const spare = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(spare, 'connect');
    const from = performance.now();
    await server.stop();
    expect(ids(await end)).toEqual(['e1', 'e2']);
    expect(performance.now() - from).toBeLessThan(3_000);
    spare.destroy();
  });
});
