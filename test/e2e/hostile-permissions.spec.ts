import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { EventStream } from '../support/api/event-stream.js';
import { from } from '../support/api/people.js';
import { newPerson, type Person } from '../support/api/strangers.js';
import { until, Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let tenant: string;
let person: Person;

beforeEach(async () => {
  shop = await Workspace.create(app.client, ['orders', 'orders-1', 'returns']);
  tenant = `/tenants/${shop.tenant}`;
  person = await newPerson(app);
});

const status = async (client: Client, method: string, path: string, body?: object): Promise<number> =>
  (await client.request(method, path, body)).status;
const at = (topic: string): string => `tenants/${shop.tenant}/namespaces/shop/topics/${topic}`;
const join = (roles: string[]): Promise<number> =>
  status(app.client, 'PUT', `${tenant}/members/${person.userId}`, { roles });
const grant = async (resource: string, actions: string[], rest: object = {}): Promise<string> => {
  const body = { principal: { user: person.userId }, effect: 'allow', actions, resource, ...rest };
  const answer = await app.client.post<{ id: string }>(`${tenant}/permissions`, body);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.id;
};
const publish = (topic = 'orders', type = 't', headers = {}): Promise<number> =>
  person.client.post(shop.events(topic), { type, data: 1 }, headers).then((answer) => answer.status);

describe('without event:read', () => {
  it('no read shows an event of the topic, or their number', async () => {
    for (const topic of ['orders', 'returns'])
      await shop.publish({ id: `in-${topic}`, type: 't', stream: 's', data: 'secret' }, topic);
    await join([]);
    await grant(at('returns'), ['event:read', 'topic:read']);
    const places = ['', '/in-orders', '?order=desc', '?limit=1', '?filter=true', '?after=in-orders'];
    const paths = [
      ...places.map((rest) => `${shop.events()}${rest}`),
      `${shop.base}/topics/orders/streams/s`,
      `${shop.base}/topics/orders`,
    ];
    for (const path of paths)
      for (const accept of ['application/json', 'application/x-ndjson', 'text/event-stream']) {
        const { status: code, text } = await person.client.get(path, { accept });
        expect([path, accept, code]).toEqual([path, accept, 404]);
        expect(text).not.toMatch(/secret|eventCount|lastPosition/);
      }
    const { body } = await person.client.get<Page<{ id: string }>>(`${shop.base}/topics`);
    expect(body.items.map(({ id }) => id)).toEqual(['returns']);
    expect(await status(person.client, 'GET', shop.events('returns'))).toBe(200);
  });

  it('of a type no page, stream, place or filter shows an event of that type', async () => {
    const secret = { id: 'hidden', type: 'secret.made', stream: 's', key: 'k', data: 'secret' };
    await shop.publish([secret, { id: 'shown', type: 'order.made', stream: 's', key: 'k', data: 'public' }]);
    await grant(at('orders'), ['event:read'], { constraints: { eventTypes: ['order.*'] } });
    const events = shop.events();
    for (const path of [
      events,
      `${events}?type=secret.made`,
      `${events}?key=k`,
      `${events}?stream=s`,
      `${events}?filter=${encodeURIComponent('type == "secret.made" || true')}`,
      `${shop.base}/topics/orders/streams/s`,
    ]) {
      const { status: code, text } = await person.client.get(path);
      expect([path, code, text.includes('secret'), text.includes('hidden')]).toEqual([path, 200, false, false]);
    }
    const all = await person.client.get(events, { accept: 'application/x-ndjson' });
    expect(all.text.trim().split('\n')).toHaveLength(1);
    const unknown = await person.client.get(`${events}/none`);
    const { status: code, body } = await person.client.get(`${events}/hidden`);
    expect([code, body.code]).toEqual([404, unknown.body.code]);
    for (const name of ['after', 'before']) {
      const [here, nowhere] = [await person.client.get(`${events}?${name}=hidden`), `${events}?${name}=none`];
      expect([here.status, here.body.code]).toEqual([404, (await person.client.get(nowhere)).body.code]);
    }
    const live = await person.client.get(events, { accept: 'text/event-stream', 'last-event-id': 'hidden' });
    expect(live.status).toBe(404);
  });

  it('an open stream shows only what may be read now, also if only the types have changed', async () => {
    await join(['subscriber']);
    const stream = await EventStream.open(person.client, shop.events());
    await shop.publish({ id: 'before', type: 'secret.made', data: 1 });
    await stream.received(1);
    await grant(at('orders'), ['event:read'], { effect: 'deny', constraints: { eventTypes: ['secret.*'] } });
    await shop.publish([
      { id: 'hidden', type: 'secret.made', data: 1 },
      { id: 'shown', type: 'order.made', data: 1 },
    ]);
    expect((await stream.received(2)).map(({ id, event }) => [id, event.id])).toEqual([
      [expect.stringMatching(/^1\//), 'before'],
      [expect.stringMatching(/^3\//), 'shown'],
    ]);
    stream.close();
  });

  it('no consumer gets what the user who registers or redirects it may not read, in all types', async () => {
    const register = (topic: string) =>
      status(person.client, 'POST', `${shop.base}/consumers`, { url: 'http://127.0.0.1:65000/', topics: [{ topic }] });
    const own = await shop.register('http://127.0.0.1:65000/');
    await join([]);
    await grant(`tenants/${shop.tenant}`, ['consumer:manage', 'consumer:read']);
    expect([await register('orders'), await register('none')]).toEqual([403, 403]);
    const limited = await grant(at('orders'), ['event:read'], { constraints: { eventTypes: ['order.*'] } });
    expect(await register('orders')).toBe(403);
    const patch = (body: object) => status(person.client, 'PATCH', shop.consumer(own.id), body);
    const elsewhere = { url: 'http://127.0.0.1:65001/' };
    expect([await patch(elsewhere), await patch({ topics: [{ topic: 'orders' }] })]).toEqual([403, 403]);
    expect(await patch({ name: 'Renamed' })).toBe(200);
    await app.client.delete(`${tenant}/permissions/${limited}`);
    await grant(at('orders'), ['event:read']);
    expect([await register('orders'), await register('returns'), await patch(elsewhere)]).toEqual([201, 403, 200]);
    expect(await patch({ topics: [{ topic: 'orders' }, { topic: 'returns' }] })).toBe(403);
  });

  it.todo('search and counts of a query are filtered alike (with queries)');
  it.todo('a projection, an export and a replay are filtered alike (with export jobs and replays)');
});

describe('a pattern', () => {
  it('with a prefix matches no other case, path, look-alike or longer name, and nothing of the system', async () => {
    await grant(at('orders-*'), ['event:publish', 'event:read']);
    expect([await publish('orders-1'), await publish('orders'), await publish('returns')]).toEqual([201, 404, 404]);
    for (const name of [
      'Orders-1',
      'ORDERS-1',
      'orders-%2F..%2Freturns',
      'orders-%2f..',
      '%2e%2e%2freturns',
      'orders-1%2F..%2Freturns',
      'returns%00orders-1',
      encodeURIComponent('оrders-1'),
      encodeURIComponent('orders‐1'),
      encodeURIComponent('ｏrders-1'),
      '$system',
      'orders-$system',
      '*',
      'orders-*',
    ]) {
      const statuses = [await publish(name), await status(person.client, 'GET', shop.events(name))];
      expect([name, statuses.filter((code) => code !== 400 && code !== 404)]).toEqual([name, []]);
    }
    expect(await shop.readAll('returns')).toEqual([]);
    expect(await shop.readAll('orders-1')).toHaveLength(1);
  });

  it('of everything does not include resources of the system', async () => {
    const body = { principal: { user: person.userId }, effect: 'allow', actions: ['topic:read'] };
    for (const resource of ['tenants/*', 'tenants/**'])
      expect(await status(app.client, 'POST', '/permissions', { ...body, resource })).toBe(201);
    expect(await status(person.client, 'GET', `${shop.base}/topics/orders`)).toBe(200);
    for (const path of ['', '/topics', '/topics/users', '/topics/users/events'])
      expect(await status(person.client, 'GET', `/tenants/$system/namespaces/$management${path}`)).toBe(404);
  });
});

describe('a denial', () => {
  const groupOf = async (id: string): Promise<void> => {
    await app.client.post(`${tenant}/groups`, { id });
    await app.client.request('PUT', `${tenant}/groups/${id}/members/${person.userId}`);
  };

  it.each([
    ['granted directly', () => ({ user: person.userId })],
    ['granted to a group', () => ({ group: 'team' })],
    ['granted to a role', () => ({ role: 'publisher' })],
  ])('%s overrides every way of allowing all, whichever came first', async (_, principal) => {
    await join(['publisher']);
    await groupOf('team');
    const everything = [{ user: person.userId }, { group: 'team' }, { role: 'publisher' }];
    const denial = { effect: 'deny', principal: principal() };
    const allow = () =>
      Promise.all(everything.map((one) => grant(`tenants/${shop.tenant}/**`, ['event:*'], { principal: one })));
    const first = await grant(at('orders'), ['event:publish'], denial);
    await allow();
    expect([await publish('orders'), await publish('returns')]).toEqual([403, 201]);
    expect(await status(app.client, 'DELETE', `${tenant}/permissions/${first}`)).toBe(204);
    expect(await publish('orders')).toBe(201);
    await grant(at('orders'), ['event:publish'], denial);
    expect([await publish('orders'), await publish('returns')]).toEqual([403, 201]);
  });
});

describe('conditions', () => {
  const check = async (client: Client, context: object, action = 'event:publish'): Promise<boolean> => {
    const { body } = await client.post<{ allowed: boolean }>('/authz/check', {
      action,
      resource: at('orders'),
      context,
    });
    return body.allowed;
  };
  const allowedAt = (time: string): Promise<boolean> => check(person.client, { time });

  it('of time apply to the millisecond, and across both changes of daylight saving time', async () => {
    await join([]);
    const [validFrom, validUntil] = ['2030-01-01T00:00:00.000Z', '2030-02-01T00:00:00.000Z'];
    const id = await grant(at('orders'), ['event:publish'], { constraints: { validFrom, validUntil } });
    const edges = ['2029-12-31T23:59:59.999Z', validFrom, '2030-01-31T23:59:59.999Z', validUntil];
    expect(await Promise.all(edges.map(allowedAt))).toEqual([false, true, true, false]);
    await app.client.delete(`${tenant}/permissions/${id}`);
    const constraints = { hours: { from: '02:00', to: '03:00' }, timeZone: 'Europe/Berlin' };
    await grant(at('orders'), ['event:publish'], { constraints });
    // On 31 March the hour does not exist; on 27 October it comes twice.
    const spring = ['2030-03-31T00:59:59.999Z', '2030-03-31T01:00:00.000Z', '2030-03-31T01:30:00.000Z'];
    const autumn = ['2030-10-26T23:59:59Z', '2030-10-27T00:00:00Z', '2030-10-27T01:59:59Z', '2030-10-27T02:00:00Z'];
    expect(await Promise.all(spring.map(allowedAt))).toEqual([false, false, false]);
    expect(await Promise.all(autumn.map(allowedAt))).toEqual([false, true, true, false]);
  });

  it.each([
    ['timeZone', { timeZone: 'Europe/Atlantis', hours: { from: '08:00', to: '18:00' } }],
    ['timeZone', { timeZone: '', hours: { from: '08:00', to: '18:00' } }],
    ['timeZone', { timeZone: '../../etc/localtime', hours: { from: '08:00', to: '18:00' } }],
    ['hours', { hours: { from: '24:00', to: '25:00' } }],
    ['validUntil', { validUntil: '2030-02-30T00:00:00Z' }],
    ['validUntil', { validUntil: 'never' }],
  ])('that cannot be evaluated are never stored: a broken %s (%j) is 400', async (name, constraints) => {
    const body = { principal: { user: person.userId }, effect: 'allow', actions: ['event:publish'] };
    const answer = await app.client.post(`${tenant}/permissions`, { ...body, resource: at('orders'), constraints });
    expect([answer.status, answer.text.includes(name)]).toEqual([400, true]);
    expect(await publish()).toBe(404);
  });

  it('on the type apply to each event separately: a wrong one refuses the batch, and checks do not mix', async () => {
    await grant(at('orders'), ['event:publish'], { constraints: { eventTypes: ['order.*'] } });
    const [right, wrong] = [
      { type: 'order.a', data: 1 },
      { type: 'invoice.a', data: 1 },
    ];
    const batch = (...events: object[]) => status(person.client, 'POST', shop.events(), events);
    expect([await batch(right, wrong), await batch(wrong, right), await batch(right, right)]).toEqual([403, 403, 201]);
    expect(await shop.readAll()).toHaveLength(2);
    const types = Array.from({ length: 40 }, (_, i) => (i % 2 ? 'order.a' : 'invoice.a'));
    const answers = await Promise.all(types.map((eventType) => check(person.client, { eventType })));
    expect(answers).toEqual(types.map((type) => type === 'order.a'));
  });

  it('are evaluated again for each request: another address, type or time after an allowed one', async () => {
    const validUntil = new Date(Date.now() + 1_500).toISOString();
    const constraints = { sourceCidrs: ['203.0.113.0/24'], eventTypes: ['order.*'], validUntil };
    await grant(at('orders'), ['event:publish'], { constraints });
    const [inside, outside] = [from('203.0.113.9'), from('198.51.100.9')];
    const statuses = [];
    for (const [type, where] of [
      ['order.a', inside],
      ['order.a', outside],
      ['invoice.a', inside],
      ['order.b', inside],
    ] as const)
      statuses.push(await publish('orders', type, where));
    expect(statuses).toEqual([201, 403, 403, 201]);
    await until(
      () => publish('orders', 'order.a', inside),
      (code) => code === 403,
      5_000,
    );
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(validUntil));
    const stored = await app.client.get<Page<ReadEvent>>(`${shop.events()}?order=desc&limit=1`);
    expect(Date.parse(stored.body.items[0]!.recordedAt)).toBeLessThan(Date.parse(validUntil) + 1_000);
  });
});
