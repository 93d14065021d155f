import { sharedApp } from '../support/server/app.js';
import { inMs, Keys } from '../support/api/api-keys.js';
import type { Answer, Problem } from '../support/api/client.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { loggedIn } from '../support/api/people.js';
import { member, newPerson, type Person } from '../support/api/strangers.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer, type Page, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let tenant: string;
let receiver: WebhookReceiver;
let witness: WebhookReceiver;

const CONSUMER_LOG = '/tenants/$system/namespaces/$management/topics/consumers/events';
const NOWHERE = 'http://127.0.0.1:65000/';

beforeEach(async () => {
  [receiver, witness] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
  shop = await Workspace.create(app.client, ['orders', 'secret']);
  tenant = `/tenants/${shop.tenant}`;
});
afterEach(() => Promise.all([receiver.stop(), witness.stop()]));

async function done(answer: Promise<Answer<unknown>>): Promise<void> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`${status}: ${text}`);
}
const at = (topic: string): string => `tenants/${shop.tenant}/namespaces/shop/topics/${topic}`;
const grant = async (principal: object, actions: string[], rest: object = {}): Promise<string> => {
  const body = { principal, effect: 'allow', actions, resource: `tenants/${shop.tenant}`, ...rest };
  const answer = await app.client.post<{ id: string }>(`${tenant}/permissions`, body);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.id;
};
const tryRegister = (
  { client }: Pick<Person, 'client'>,
  topic = 'orders',
  url = NOWHERE,
): Promise<Answer<Consumer & Problem>> =>
  client.post(`${shop.base}/consumers`, { url, topics: [{ topic, startFrom: 'beginning' }] });
const patch = ({ client }: Pick<Person, 'client'>, id: string, body: object): Promise<Answer<Consumer & Problem>> =>
  client.patch(shop.consumer(id), body);
const shown = async (id: string): Promise<Consumer> => (await app.client.get<Consumer>(shop.consumer(id))).body;
const paused = (id: string): Promise<Consumer> =>
  until(
    () => shown(id),
    ({ state }) => state === 'paused',
  );
const codeOf = ({ status, body }: Answer<Consumer & Problem>): unknown[] => [status, body.code];

describe('a consumer does not turn a bounded or ending right into a lasting one', () => {
  const REFUSED = [403, 'consumer-right-conditional'];

  it('not one that a system administrator takes for a moment', async () => {
    const { user, login: client } = await loggedIn(app);
    const administrator = { client };
    await done(app.client.request('PUT', `/users/${user.id}/roles/system-admin`));
    expect(codeOf(await tryRegister(administrator, 'secret'))).toEqual([403, 'permission-denied']);
    const glass = { principal: { user: user.id }, effect: 'allow', actions: ['event:read'] };
    const broken = { ...glass, resource: `tenants/${shop.tenant}`, constraints: { validUntil: inMs(60_000) } };
    await done(administrator.client.post(`${tenant}/permissions`, broken));
    expect((await administrator.client.get(shop.events('secret'))).status).toBe(200);
    const refused = await tryRegister(administrator, 'secret');
    expect(codeOf(refused)).toEqual(REFUSED);
    expect(refused.body.detail).toContain(at('secret'));
    const own = await shop.register(NOWHERE);
    const elsewhere = { url: 'http://127.0.0.1:65001/' };
    expect(codeOf(await patch(administrator, own.id, elsewhere))).toEqual(REFUSED);
    expect(codeOf(await administrator.client.post(`${shop.consumer(own.id)}/resume`))).toEqual(REFUSED);
    expect((await app.client.get<Page<Consumer>>(`${shop.base}/consumers`)).body.items).toHaveLength(1);
  });

  it.each([
    ['one read a day', { rateLimit: { limit: 1, windowSeconds: 86_400 } }],
    ['an end', { validUntil: inMs(86_400_000) }],
    ['some types of events', { eventTypes: ['order.*'] }],
    ['some addresses', { sourceCidrs: ['0.0.0.0/0', '::/0'] }],
    ['some days', { daysOfWeek: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] }],
  ])('not one that has %s', async (_, constraints) => {
    const person = await newPerson(app);
    await grant({ user: person.userId }, ['consumer:manage']);
    await grant({ user: person.userId }, ['event:read'], { constraints });
    expect(codeOf(await tryRegister(person))).toEqual(REFUSED);
  });

  it('not one that is partly denied', async () => {
    const person = await member(app, shop.tenant, 'subscriber');
    const constraints = { eventTypes: ['payroll.*'] };
    await grant({ user: person.userId }, ['event:read'], { effect: 'deny', constraints });
    expect(codeOf(await tryRegister(person))).toEqual(REFUSED);
  });

  it('nor by a key that does not include it, or to which it is denied', async () => {
    const person = await member(app, shop.tenant, 'subscriber');
    const own = new Keys(person.client);
    const scope = { tenant: shop.tenant };
    const narrow = await own.create({ scopes: [scope], actions: ['consumer:manage'] });
    const wide = await own.create({ scopes: [scope] });
    expect(codeOf(await tryRegister({ client: own.as(narrow.key) }))[0]).toBe(403);
    expect((await tryRegister({ client: own.as(wide.key) })).status).toBe(201);
    await grant({ apiKey: wide.id }, ['event:read'], { effect: 'deny', resource: at('orders') });
    expect(codeOf(await tryRegister({ client: own.as(wide.key) }))[0]).toBe(403);
  });
});

describe('a consumer whose right is gone gets nothing that is published afterwards', () => {
  type Taking = (person: Person) => Promise<void>;
  const ways: Record<string, Taking> = {
    'the user is suspended': ({ userId }) => done(app.client.post(`/users/${userId}/suspend`, {})),
    'the user is deleted': ({ userId }) => done(app.client.delete(`/users/${userId}`)),
    'the user is removed from the tenant': ({ userId }) => done(app.client.delete(`${tenant}/members/${userId}`)),
    'the role of the user is removed': ({ userId }) =>
      done(app.client.delete(`${tenant}/users/${userId}/roles/subscriber`)),
    'the right is denied to the user': async ({ userId }) => {
      await grant({ user: userId }, ['event:read'], { effect: 'deny', resource: at('orders') });
    },
    'the right is denied to a group that the user joins': async ({ userId }) => {
      await done(app.client.post(`${tenant}/groups`, { id: 'barred', name: 'Barred' }));
      await grant({ group: 'barred' }, ['event:read'], { effect: 'deny' });
      await done(app.client.request('PUT', `${tenant}/groups/barred/members/${userId}`));
    },
    'the right is denied to the role of the user': async () => {
      await grant({ role: 'subscriber' }, ['event:read'], { effect: 'deny', constraints: { eventTypes: ['x'] } });
    },
  };

  it.each(Object.keys(ways))('%s: the position is kept, and a permitted user continues from there', async (way) => {
    const person = await member(app, shop.tenant, 'subscriber');
    await shop.register(witness.url);
    await shop.publish({ id: 'before', type: 't', data: 1 });
    const { body: consumer } = await tryRegister(person, 'orders', receiver.url);
    expect(consumer.runsOn).toEqual({ user: person.userId });
    await receiver.received(1);
    await ways[way]!(person);
    expect((await paused(consumer.id)).pauseReason).toBe('no-longer-permitted');
    await shop.publish({ id: 'after', type: 't', data: 2 });
    await witness.received(2);
    const { state, reason, topics } = await shop.status(consumer.id);
    expect({ state, reason, position: topics[0]!.position }).toEqual({
      state: 'paused',
      reason: 'no-longer-permitted',
      position: 1,
    });
    expect(receiver.requests).toHaveLength(1);
    const resumed = await app.client.post<Consumer>(`${shop.consumer(consumer.id)}/resume`);
    expect(resumed.body).toMatchObject({ state: 'active', pauseReason: null });
    expect(resumed.body.runsOn).not.toEqual({ user: person.userId });
    await receiver.received(2);
    expect(receiver.requests.map(({ headers }) => headers['x-event-id'])).toEqual(['before', 'after']);
  });

  it('a revoked grant pauses the consumer, also if it was paused by request', async () => {
    const person = await newPerson(app);
    await grant({ user: person.userId }, ['consumer:manage']);
    const right = await grant({ user: person.userId }, ['event:read']);
    const { body: consumer } = await tryRegister(person);
    await done(person.client.post(`${shop.consumer(consumer.id)}/pause`));
    await done(app.client.delete(`${tenant}/permissions/${right}`));
    await until(
      () => shown(consumer.id),
      ({ pauseReason }) => pauseReason === 'no-longer-permitted',
    );
    expect(codeOf(await person.client.post(`${shop.consumer(consumer.id)}/resume`))[0]).toBe(403);
  });

  it('nor if the right is lost while the registration is under way', async () => {
    const person = await member(app, shop.tenant, 'subscriber');
    const held = 'SELECT 1 FROM namespace WHERE tenant_id = $1';
    const obstacle = await Obstacle.put(app.connection, held, [shop.tenant]);
    const registered = tryRegister(person);
    await until(() => obstacle.isWaitedFor(), Boolean);
    await done(app.client.delete(`${tenant}/members/${person.userId}`));
    await obstacle.remove();
    const { status, body } = await registered;
    expect(status).toBe(201);
    expect((await paused(body.id)).pauseReason).toBe('no-longer-permitted');
  });

  it('an activation of the user resumes nothing by itself', async () => {
    const person = await member(app, shop.tenant, 'subscriber');
    const { body: consumer } = await tryRegister(person);
    await done(app.client.post(`/users/${person.userId}/suspend`, {}));
    await paused(consumer.id);
    await done(app.client.post(`/users/${person.userId}/activate`));
    const other = await tryRegister(person);
    expect(other.body.state).toBe('active');
    expect((await shown(consumer.id)).state).toBe('paused');
    const resumed = await person.client.post<Consumer>(`${shop.consumer(consumer.id)}/resume`);
    expect(resumed.body).toMatchObject({ state: 'active', runsOn: { user: person.userId } });
  });

  it('new rights, and rights taken from others, pause nothing', async () => {
    const [person, other] = [
      await member(app, shop.tenant, 'subscriber'),
      await member(app, shop.tenant, 'subscriber'),
    ];
    const [{ body: kept }, { body: lost }] = [await tryRegister(person), await tryRegister(other)];
    await grant({ user: person.userId }, ['event:publish']);
    await done(app.client.delete(`${tenant}/members/${other.userId}`));
    await paused(lost.id);
    expect((await shown(kept.id)).state).toBe('active');
  });
});

describe('a user who may manage consumers, but not read', () => {
  it('changes neither url nor topics nor headers, and resumes nothing', async () => {
    const person = await newPerson(app);
    await grant({ user: person.userId }, ['consumer:manage', 'consumer:read']);
    const { id } = await shop.register(NOWHERE);
    for (const body of [
      { headers: { authorization: 'Bearer stolen' } },
      { headers: null },
      { url: 'http://127.0.0.1:65001/' },
      { url: 'http://10.0.0.1/' },
      { topics: [{ topic: 'orders' }] },
      { correlationId: 'mine' },
      { runsOn: { user: person.userId } },
    ])
      expect([body, ...codeOf(await patch(person, id, body))]).toEqual([body, 403, 'permission-denied']);
    expect(codeOf(await person.client.post(`${shop.consumer(id)}/resume`))).toEqual([403, 'permission-denied']);
    expect((await patch(person, id, { name: 'Ours', retry: { maxAttempts: 3 }, timeoutMs: 500 })).status).toBe(200);
    expect((await person.client.post(`${shop.consumer(id)}/pause`)).status).toBe(200);
    expect((await person.client.delete(shop.consumer(id))).status).toBe(204);
  });
});

describe('a consumer runs on the rights of', () => {
  it.each([
    ['url', { url: 'http://127.0.0.1:65001/' }],
    ['topics', { topics: [{ topic: 'secret' }] }],
    ['headers', { headers: { 'x-mine': '1' } }],
  ])('the user who last changed its %s', async (_, body) => {
    const person = await member(app, shop.tenant, 'subscriber');
    const { id } = await shop.register(NOWHERE);
    expect((await patch(person, id, { correlationId: 'c', retry: { maxAttempts: 3 } })).body.runsOn).not.toEqual({
      user: person.userId,
    });
    expect((await patch(person, id, body)).body.runsOn).toEqual({ user: person.userId });
  });

  it('the owner of the key that registered it, as its status, its events and the audit say', async () => {
    const person = await member(app, shop.tenant, 'subscriber');
    const { body: consumer } = await tryRegister(person);
    const answer = await app.client.get<{ runsOn: unknown }>(`${shop.consumer(consumer.id)}/status`);
    expect(answer.body.runsOn).toEqual({ user: person.userId });
    const { body } = await app.client.get<Page<ReadEvent>>(`${CONSUMER_LOG}?order=desc&limit=1`);
    expect(body.items[0]).toMatchObject({ type: 'consumer.registered', data: { runsOn: person.userId } });
    const audit = await app.client.get<Page<{ after: unknown }>>(`${tenant}/audit?action=consumer.registered`);
    expect(audit.body.items[0]!.after).toMatchObject({ runsOn: person.userId });
  });

  it('another user only if the caller may grant without an end, and the other may read', async () => {
    const [asking, reader, outsider] = [
      await member(app, shop.tenant, 'subscriber'),
      await member(app, shop.tenant, 'subscriber'),
      await newPerson(app),
    ];
    const suspended = await member(app, shop.tenant, 'subscriber');
    await done(app.client.post(`/users/${suspended.userId}/suspend`, {}));
    const { id } = await shop.register(NOWHERE);
    const runOn = (user: string): Promise<Answer<Consumer & Problem>> => patch(asking, id, { runsOn: { user } });
    expect((await runOn(asking.userId)).body.runsOn).toEqual({ user: asking.userId });
    expect([...codeOf(await runOn(reader.userId)), (await runOn('usr_nobody')).status]).toEqual([
      403,
      'permission-denied',
      403,
    ]);
    await grant({ user: asking.userId }, ['permission:grant'], { constraints: { validUntil: inMs(3_600_000) } });
    expect((await runOn(reader.userId)).status).toBe(403);
    await grant({ user: asking.userId }, ['permission:grant']);
    const refusals = await Promise.all(['usr_nobody', suspended.userId, outsider.userId].map(runOn));
    expect(new Set(refusals.map(({ status, body }) => JSON.stringify([status, body.code, body.errors]))).size).toBe(1);
    expect(refusals[0]!.body).toMatchObject({ code: 'consumer-invalid', errors: [{ pointer: '/runsOn/user' }] });
    expect((await runOn(reader.userId)).body.runsOn).toEqual({ user: reader.userId });
    await done(app.client.delete(`${tenant}/members/${reader.userId}`));
    expect((await paused(id)).pauseReason).toBe('no-longer-permitted');
  });
});
