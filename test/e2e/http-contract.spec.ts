import { addressOf, routesOf, type Places, type Route } from '../support/access-matrix.js';
import { startApp, type TestApp } from '../support/app.js';
import { must, type Client } from '../support/client.js';
import { EventStream } from '../support/event-stream.js';
import type { ApiDocument } from '../support/openapi.js';
import { member } from '../support/strangers.js';
import { Workspace } from '../support/workspace.js';

let app: TestApp;
let shop: Workspace;
let routes: Route[];
/** Somebody who is logged in: keys cannot do everything. */
let administrator: Client;
let places: Places;

beforeAll(async () => {
  app = await startApp();
  shop = await Workspace.create(app.client);
  const { id: consumerId } = await shop.register('http://127.0.0.1:65000/');
  const { events } = await shop.publish({ type: 't', stream: 's', data: 1 });
  const person = await member(app, shop.tenant, 'viewer');
  const tenant = `/tenants/${shop.tenant}`;
  await app.client.post(`${tenant}/roles`, { id: 'own', actions: ['topic:read'] });
  await app.client.post(`${tenant}/groups`, { id: 'team', name: 'Team' });
  places = {
    tenantId: shop.tenant,
    namespaceId: 'shop',
    topicId: 'orders',
    consumerId,
    eventId: events[0]!.id,
    stream: 's',
    userId: person.userId,
    keyId: person.keyId,
    roleId: 'own',
    groupId: 'team',
    partId: person.userId,
  };
  const { accessToken } = await must<{ accessToken: string }>(app.client.with({}), 'POST', '/auth/login', {
    email: app.adminEmail,
    password: app.adminPassword,
  });
  administrator = app.client.with({ authorization: `Bearer ${accessToken}` });
  routes = routesOf((await app.client.get<ApiDocument>('/openapi.json')).body);
});
afterAll(() => app?.stop());

const contents = async (): Promise<string> => {
  const tenant = `/tenants/${shop.tenant}`;
  const paths = [
    '/tenants',
    '/users',
    `${tenant}/members`,
    `${tenant}/roles`,
    `${tenant}/groups`,
    `${tenant}/permissions`,
  ];
  const all = [...paths, `${tenant}/namespaces`, `${shop.base}/topics`, `${shop.base}/consumers`, shop.events()];
  return (await Promise.all(all.map((path) => app.client.get(path)))).map(({ text }) => text).join('\n');
};

describe('a query parameter', () => {
  const PROBES = ['/health/live', '/health/ready'];

  it('that an operation does not know is refused by all of them, named, with nothing done', async () => {
    const before = await contents();
    const found: object[] = [];
    for (const route of routes.filter(({ path }) => !PROBES.includes(path))) {
      const body = route.method === 'GET' ? undefined : {};
      const answer = await administrator.request(route.method, `${addressOf(route, places)}?dryRun=true`, body);
      const pointers = answer.body?.errors?.map(({ pointer }) => pointer);
      if (answer.status !== 400 || !pointers?.includes('?dryRun')) found.push({ ...route, text: answer.text });
    }
    expect(routes.length).toBeGreaterThan(80);
    expect(found).toEqual([]);
    expect(await contents()).toBe(before);
  });

  it('does not keep a probe from its answer', async () => {
    for (const path of PROBES) expect((await app.client.get(`${path}?from=balancer`)).status).toBe(200);
  });
});

describe('the representation', () => {
  const typeOf = async (accept: string): Promise<string> => {
    const { status, headers } = await app.client.get(shop.events(), { accept });
    return `${status} ${headers.get('content-type')!.split(';')[0]}`;
  };

  it('of events is the one that is liked most, by its weight', async () => {
    expect(await typeOf('text/event-stream;q=0, application/json')).toBe('200 application/json');
    expect(await typeOf('application/json;q=0.5, application/x-ndjson')).toBe('200 application/x-ndjson');
    expect(await typeOf('text/html, application/xhtml+xml, */*;q=0.8')).toBe('200 application/json');
    expect(await typeOf('text/html, */*;q=0')).toBe('406 application/problem+json');
  });

  it('of everything that is read is JSON, or 406; a change is never refused for the form of its answer', async () => {
    const ask = async (accept: string): Promise<number> => (await app.client.get('/tenants', { accept })).status;
    for (const accept of [
      'application/json',
      'application/*',
      '*/*;q=0.1',
      'application/problem+json',
      'text/html,*/*;q=0.8',
    ])
      expect([accept, await ask(accept)]).toEqual([accept, 200]);
    for (const accept of ['text/html', 'text/event-stream', 'application/json;q=0, text/*'])
      expect([accept, await ask(accept)]).toEqual([accept, 406]);
    expect((await app.client.get('/health/live', { accept: 'text/html' })).status).toBe(200);
    expect((await app.client.patch(shop.base, { name: 'Shop' }, { accept: 'text/html' })).status).toBe(200);
  });

  it('that goes on live begins at the beginning for an empty Last-Event-ID', async () => {
    const stream = await EventStream.open(app.client, shop.events(), '');
    expect((await stream.received(1))[0]!.id).toBe('1');
    stream.close();
  });
});
