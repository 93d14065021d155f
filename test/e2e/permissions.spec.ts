import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { EventStream } from '../support/api/event-stream.js';
import { newPerson, type Person } from '../support/api/strangers.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let person: Person;
let tenant: string;

beforeEach(async () => {
  shop = await Workspace.create(app.client, ['orders', 'returns']);
  tenant = `/tenants/${shop.tenant}`;
  person = await newPerson(app);
});

const status = async (client: Client, method: string, path: string, body?: object): Promise<number> =>
  (await client.request(method, path, body)).status;
const join = (roles: string[], whom = person): Promise<number> =>
  status(app.client, 'PUT', `${tenant}/members/${whom.userId}`, { roles });
const event = { type: 'order.created', data: 1 };
const grant = async (body: object, client = app.client): Promise<{ status: number; id: string; code: string }> => {
  const answer = await client.post<{ id: string; code: string }>(`${tenant}/permissions`, {
    principal: { user: person.userId },
    effect: 'allow',
    ...body,
  });
  return { status: answer.status, id: answer.body.id, code: answer.body.code };
};
const topicPath = (topic: string): string => `tenants/${shop.tenant}/namespaces/shop/topics/${topic}`;
const publish = (topic = 'orders', type = 'order.created'): Promise<number> =>
  status(person.client, 'POST', shop.events(topic), { type, data: 1 });

describe('a user', () => {
  it('who is not a member sees nothing of a tenant: 404 for existing and missing resources', async () => {
    for (const path of [
      '',
      '/namespaces',
      '/namespaces/shop',
      '/namespaces/none',
      '/members',
      '/audit',
      '/permissions',
    ])
      expect((await person.client.get(`${tenant}${path}`)).body).toMatchObject({
        code: 'tenant-not-found',
        status: 404,
      });
    expect(await publish()).toBe(404);
    expect((await person.client.get<{ items: [] }>('/tenants')).body.items).toEqual([]);
    expect(await status(person.client, 'POST', '/tenants', { id: `mine-${shop.tenant}` })).toBe(403);
  });

  it('sees the tenants that they belong to, and no other', async () => {
    await join(['viewer']);
    const { body } = await person.client.get<{ items: { id: string }[] }>('/tenants');
    expect(body.items.map(({ id }) => id)).toEqual([shop.tenant]);
  });

  it('learns the missing permission on resources that they see', async () => {
    await join(['viewer']);
    const { status: code, body } = await person.client.post(shop.events(), event);
    expect([code, body.code, body['permission']]).toEqual([403, 'permission-denied', 'event:publish']);
  });

  it('of an earlier tenant with the same id is not a member of the next', async () => {
    await join(['admin']);
    expect(await status(app.client, 'DELETE', `${tenant}?force=true`)).toBe(204);
    expect(await status(app.client, 'POST', '/tenants', { id: shop.tenant })).toBe(201);
    expect(await status(person.client, 'GET', tenant)).toBe(404);
    expect(await join(['viewer'])).toBe(200);
    expect(await status(person.client, 'GET', tenant)).toBe(200);
    expect(await status(person.client, 'PATCH', tenant, { name: 'x' })).toBe(403);
  });
});

describe('a predefined role', () => {
  const routes: Readonly<Record<string, (client: Client) => Promise<number>>> = {
    'read the topic': (client) => status(client, 'GET', `${shop.base}/topics/orders`),
    publish: (client) => status(client, 'POST', shop.events(), event),
    'read events': (client) => status(client, 'GET', shop.events()),
    'create a topic': (client) => status(client, 'POST', `${shop.base}/topics`, { id: `t-${Math.random()}` }),
    'register a consumer': (client) =>
      status(client, 'POST', `${shop.base}/consumers`, {
        url: 'http://127.0.0.1:65000/',
        topics: [{ topic: 'orders' }],
      }),
    'list members': (client) => status(client, 'GET', `${tenant}/members`),
    'rename the tenant': (client) => status(client, 'PATCH', tenant, { name: `n${Math.random()}` }),
    'read the audit': (client) => status(client, 'GET', `${tenant}/audit`),
    'suspend the tenant': (client) => status(client, 'POST', `${tenant}/suspend`, {}),
  };
  const allowed: Readonly<Record<string, readonly string[]>> = {
    owner: Object.keys(routes).slice(0, -1),
    admin: Object.keys(routes).slice(0, -1),
    developer: ['read the topic', 'publish', 'read events', 'create a topic', 'register a consumer'],
    publisher: ['read the topic', 'publish'],
    subscriber: ['read the topic', 'read events', 'register a consumer'],
    viewer: ['read the topic', 'read events', 'list members'],
    auditor: ['read the topic', 'list members', 'read the audit'],
  };

  it.each(Object.keys(allowed))('%s allows what its matrix says, and no more', async (role) => {
    expect(await join([role])).toBe(200);
    const found: string[] = [];
    for (const [name, call] of Object.entries(routes)) {
      const code = await call(person.client);
      found.push(...(code < 300 ? [name] : code === 403 ? [] : [`${name}: ${code}`]));
    }
    expect(found).toEqual(allowed[role]);
  });

  it('may be given for a namespace or a topic only', async () => {
    const path = `${tenant}/users/${person.userId}/roles/publisher?namespace=shop&topic=orders`;
    expect(await status(app.client, 'PUT', path)).toBe(200);
    expect([await publish('orders'), await publish('returns')]).toEqual([201, 404]);
    const { body } = await person.client.get<{ items: { id: string }[] }>(`${shop.base}/topics`);
    expect(body.items.map(({ id }) => id)).toEqual(['orders']);
    expect(await status(app.client, 'DELETE', path)).toBe(204);
    expect(await publish('orders')).toBe(404);
  });

  it('is given only in a fully named place: not in a topic without its namespace, nor without a tenant', async () => {
    for (const method of ['PUT', 'DELETE'])
      for (const path of [
        `${tenant}/users/${person.userId}/roles/publisher?topic=orders`,
        `/users/${person.userId}/roles/system-auditor?namespace=shop`,
      ]) {
        const { status: code, body } = await app.client.request(method, path);
        expect([method, path, code, body.errors?.[0]?.pointer]).toEqual([method, path, 400, '?namespace']);
      }
  });

  it('cannot be changed', async () => {
    for (const method of ['PATCH', 'DELETE'])
      expect(
        await status(app.client, method, `${tenant}/roles/viewer`, method === 'PATCH' ? { name: 'x' } : undefined),
      ).toBe(403);
    expect(await status(app.client, 'POST', `${tenant}/roles`, { id: 'owner', actions: ['topic:read'] })).toBe(409);
  });
});

describe('a grant', () => {
  it('covers what its resource names: wildcards, and everything below', async () => {
    expect((await grant({ actions: ['event:publish'], resource: topicPath('ord*') })).status).toBe(201);
    expect([await publish('orders'), await publish('returns')]).toEqual([201, 404]);
    await grant({ actions: ['event:*', 'topic:read'], resource: `tenants/${shop.tenant}/namespaces/*` });
    expect([await publish('returns'), await status(person.client, 'GET', shop.events('returns'))]).toEqual([201, 200]);
  });

  it('that denies overrides every one that allows, in either order', async () => {
    await join(['owner']);
    const { id } = await grant({ effect: 'deny', actions: ['event:publish'], resource: topicPath('orders') });
    expect([await publish('orders'), await publish('returns')]).toEqual([403, 201]);
    await grant({ actions: ['event:publish'], resource: topicPath('orders') });
    expect(await publish('orders')).toBe(403);
    expect(await status(app.client, 'DELETE', `${tenant}/permissions/${id}`)).toBe(204);
    expect(await publish('orders')).toBe(201);
  });

  it('may be limited to types of events: others are neither published nor shown', async () => {
    const constraints = { eventTypes: ['order.*'] };
    await grant({ actions: ['event:publish', 'event:read'], resource: topicPath('orders'), constraints });
    expect([await publish('orders', 'order.paid'), await publish('orders', 'invoice.paid')]).toEqual([201, 403]);
    const { body } = await shop.tryPublish({ id: 'hidden', type: 'invoice.paid', data: 1 });
    expect(body.events).toHaveLength(1);
    const page = await person.client.get<{ items: { type: string }[] }>(shop.events());
    expect(page.body.items.map(({ type }) => type)).toEqual(['order.paid']);
    expect(await status(person.client, 'GET', `${shop.events()}/hidden`)).toBe(404);
  });

  it('may be limited to a time, an address, a rate', async () => {
    const past = { validUntil: '2020-01-01T00:00:00Z' };
    await grant({ actions: ['event:publish'], resource: topicPath('orders'), constraints: past });
    await grant({
      actions: ['event:publish'],
      resource: topicPath('orders'),
      constraints: { sourceCidrs: ['10.0.0.0/8'] },
    });
    expect(await publish()).toBe(403);
    const rate = { sourceCidrs: ['127.0.0.0/8'], rateLimit: { limit: 2, windowSeconds: 3_600 } };
    await grant({ actions: ['event:publish'], resource: topicPath('orders'), constraints: rate });
    expect([await publish(), await publish()]).toEqual([201, 201]);
    const refused = await person.client.post(shop.events(), event);
    expect([refused.status, refused.body.code]).toEqual([429, 'permission-rate-limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  it('with a rate counts requests: an open stream continues however much it carries', async () => {
    const rateLimit = { limit: 2, windowSeconds: 3_600 };
    await grant({ actions: ['event:read'], resource: topicPath('orders'), constraints: { rateLimit } });
    const stream = await EventStream.open(person.client, shop.events());
    for (let n = 1; n <= 5; n++) {
      await shop.publish(event);
      await stream.received(n);
    }
    stream.close();
    expect(await status(person.client, 'GET', shop.events())).toBe(200);
    expect(await status(person.client, 'GET', shop.events())).toBe(429);
  });

  it.each([
    ['an action that does not exist', { actions: ['topic:fly'] }, 'actions'],
    ['a resource that is not a path', { resource: 'tenants//x' }, 'resource'],
    ['a resource of another tenant', { resource: 'tenants/other' }, 'resource'],
    ['a time zone that does not exist', { constraints: { timeZone: 'Mars/Base' } }, 'timeZone'],
    ['an invalid address', { constraints: { sourceCidrs: ['10.0.0.0/99'] } }, 'sourceCidrs'],
    ['types for what is no event', { actions: ['topic:read'], constraints: { eventTypes: ['a'] } }, 'eventTypes'],
    ['two principals', { principal: { user: 'usr_1', role: 'x' } }, 'principal'],
    ['an unknown constraint', { constraints: { moon: 'full' } }, 'moon'],
  ])('with %s is 400 and named', async (_, wrong, named) => {
    const body = {
      principal: { user: person.userId },
      effect: 'allow',
      actions: ['event:read'],
      resource: topicPath('orders'),
      ...wrong,
    };
    const answer = await app.client.post(`${tenant}/permissions`, body);
    expect([answer.status, answer.text.includes(named)]).toEqual([400, true]);
  });

  it('is in force at once, also on open streams', async () => {
    const { id } = await grant({ actions: ['event:read'], resource: topicPath('orders') });
    const stream = await EventStream.open(person.client, shop.events());
    await shop.publish(event);
    await stream.received(1);
    expect(await status(app.client, 'DELETE', `${tenant}/permissions/${id}`)).toBe(204);
    expect(await status(person.client, 'GET', shop.events())).toBe(404);
    await shop.publish(event);
    expect(await stream.rest()).toHaveLength(1);
  });
});
