import { addressOf, routesOf, type Route } from '../support/checks/access-matrix.js';
import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import type { ApiDocument } from '../support/api/openapi.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { member, newPerson } from '../support/api/strangers.js';
import { Workspace } from '../support/api/workspace.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

const app = await sharedApp();
let shop: Workspace;
let actors: Record<string, Client>;
let routes: Route[];
let places: Record<string, string>;

beforeAll(async () => {
  shop = await Workspace.create(app.client);
  const [stranger, viewer, owner] = [
    await newPerson(app),
    await member(app, shop.tenant, 'viewer'),
    await member(app, shop.tenant, 'owner'),
  ];
  const suspended = await Workspace.create(app.client);
  const halted = await member(app, suspended.tenant, 'owner');
  await app.client.post(`/tenants/${suspended.tenant}/suspend`, {});
  actors = {
    nobody: app.client.with({}),
    'a wrong key': app.client.with({ 'x-api-key': app.apiKey.slice(0, -1) }),
    'a stranger': stranger.client,
    'a viewer': viewer.client,
    'an owner': owner.client,
    'the owner of a suspended tenant': halted.client,
  };
  const { id: consumerId } = await shop.register('http://127.0.0.1:65000/');
  const { events } = await shop.publish({ type: 't', stream: 's', data: 1 });
  places = {
    tenantId: shop.tenant,
    namespaceId: 'shop',
    topicId: 'orders',
    consumerId,
    eventId: events[0]!.id,
    streamId: 's',
    userId: stranger.userId,
  };
  routes = routesOf((await app.client.get<ApiDocument>('/openapi.json')).body);
});

const contents = async (): Promise<string> => {
  const paths = ['', '/members', '/namespaces', '/permissions'].map((path) => `/tenants/${shop.tenant}${path}`);
  const all = [...paths, '/users', `${shop.base}/topics`, `${shop.base}/consumers`, shop.events()];
  return (await Promise.all(all.map((path) => app.client.get(path)))).map(({ text }) => text).join('\n');
};

/** Sends the raw path, which a client would normalize. */
async function askRaw(client: Client, method: string, path: string, headers = ''): Promise<number> {
  const key = client.headers['x-api-key'];
  const credentials = key === undefined ? '' : `X-API-Key: ${key}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\n${credentials}${headers}Connection: close\r\n\r\n`;
  return (await sendRaw(app.url, head)).status;
}

describe('a method', () => {
  it('HEAD has the response of GET, for all callers on every route, without a body', async () => {
    const found: object[] = [];
    const read = routes.filter(({ method }) => method === 'GET');
    expect(read.length).toBeGreaterThan(30);
    for (const [name, client] of Object.entries(actors))
      for (const route of read) {
        const path = addressOf(route, places);
        const [get, head] = [await client.get(path), await client.request('HEAD', path)];
        if (head.status !== get.status || head.text !== '')
          found.push({ name, path, get: get.status, head: head.status });
      }
    expect(found).toEqual([]);
  });

  it('HEAD opens no stream', async () => {
    for (const accept of ['text/event-stream', 'application/x-ndjson']) {
      expect((await actors['a stranger']!.request('HEAD', shop.events(), undefined, { accept })).status).toBe(404);
      const { status, text } = await app.client.request('HEAD', shop.events(), undefined, { accept });
      expect([accept, status, text]).toEqual([accept, 200, '']);
    }
  });

  it('that a path does not have is 405 with the allowed ones, for all callers, whatever exists, and does nothing', async () => {
    const before = await contents();
    const byPath = Map.groupBy(routes, ({ path }) => path);
    const nowhere = Object.fromEntries(Object.keys(places).map((name) => [name, 'nowhere']));
    const found: object[] = [];
    for (const [path, known] of byPath) {
      const methods = known.map(({ method }) => method);
      const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted().join(', ');
      const others = ['PROPFIND', ...METHODS].filter((one) => !methods.includes(one));
      const addresses = [places, nowhere].map((there) => addressOf({ path } as Route, there));
      const asked = addresses.flatMap((address) => others.map((method) => [address, method] as const));
      for (const [address, method] of asked) {
        const client = address.includes('nowhere') ? actors['nobody']! : app.client;
        const answer = await client.request(method, address, method === 'GET' ? undefined : {});
        const told = [answer.status, answer.body?.code, answer.headers.get('allow')];
        if (String(told) !== String([405, 'method-not-allowed', allow])) found.push({ method, path, told });
      }
    }
    expect(byPath.size).toBeGreaterThan(40);
    expect(found).toEqual([]);
    expect(await contents()).toBe(before);
  });

  it('OPTIONS lists the methods, and opens the API to no other origin', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'DELETE' };
    for (const path of ['/tenants', `/tenants/${shop.tenant}`, shop.events(), '/auth/login', '/nothing', '/docs'])
      for (const client of [app.client, actors['nobody']!]) {
        const options = await client.request('OPTIONS', path, undefined, headers);
        expect([path, options.status]).toEqual([path, path === '/nothing' ? 404 : 204]);
        expect(options.headers.get('allow')?.split(', ').includes('OPTIONS') ?? false).toBe(path !== '/nothing');
        const get = await client.get(path, headers);
        for (const answer of [options, get])
          expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      }
  });

  it.each(['TRACE', 'TRACK', 'CONNECT', 'PROPFIND', 'SEARCH', 'LOCK', 'PURGE', 'COPY', 'QUERY', 'get', 'Delete'])(
    '%s is refused, and the request is not echoed',
    async (method) => {
      const request = `${method} /tenants/${shop.tenant} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.apiKey}\r\n\r\n`;
      const { status, text } = await sendRaw(app.url, request);
      expect([405, 501]).toContain(status);
      expect(text).not.toContain(app.apiKey);
    },
  );

  it('is not overridden by header, query or body', async () => {
    const before = await contents();
    const tenant = `/tenants/${shop.tenant}`;
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      const headers = { [name]: 'DELETE' };
      expect([name, (await app.client.get(tenant, headers)).status]).toEqual([name, 200]);
      expect([name, (await app.client.post(tenant, {}, headers)).status]).toEqual([name, 405]);
      expect([name, (await actors['nobody']!.post(tenant, {}, headers)).status]).toEqual([name, 405]);
    }
    expect([200, 400]).toContain((await app.client.get(`${tenant}?_method=DELETE`)).status);
    expect((await app.client.patch(tenant, { _method: 'DELETE' })).status).toBe(400);
    expect(await contents()).toBe(before);
  });
});

describe('the form of a path', () => {
  const forms = (path: string): string[] => [
    `${path}/`,
    `/${path}`,
    `//${path}`,
    path.replace('/tenants/', '/tenants//'),
    path.replace('tenants', 'Tenants'),
    path.toUpperCase(),
    path.replace('t', '%74'),
    path.replace('/tenants', '/%2ftenants'),
    path.replaceAll('/', '%2f'),
    path.replaceAll('/', '%5c'),
    path.replaceAll('/', '\\'),
    `/.${path}`,
    `/..${path}`,
    `/nothing/..${path}`,
    `/health/live/../..${path}`,
    `/health/live/%2e%2e/%2e%2e${path}`,
    `/docs/..${path}`,
    `/docs/%2e%2e${path}`,
    `/docs/..;${path}`,
    `/metrics;${path}`,
    `${path};x=1`,
    `${path}.json`,
    `${path}%20`,
    `${path}%09`,
    `${path}%23`,
    `${path}%3f`,
    `${path}/.`,
    `${path}/%2e`,
    `${path}?`,
    `${path}?/health/live`,
    `${path}#/health/live`,
    `http://127.0.0.1${path}`,
    `http://127.0.0.1/health/live${path}`,
  ];

  it('does not bypass the guard: it is refused like the normal path, or not found', async () => {
    const paths = [`/tenants/${shop.tenant}`, shop.events(), `/tenants/${shop.tenant}/audit`];
    const asked = paths.flatMap((path) => [path, ...forms(path)]).flatMap((form) => [`GET ${form}`, `HEAD ${form}`]);
    const found: object[] = [];
    for (const name of ['nobody', 'a wrong key', 'a stranger'])
      for (const line of asked) {
        const [method, form] = line.split(' ') as [string, string];
        const status = await askRaw(actors[name]!, method, form);
        if (![400, 401, 403, 404].includes(status)) found.push({ name, line, status });
      }
    expect(found).toEqual([]);
  });

  it('leads permitted callers to the same resource, or is not found', async () => {
    const path = `/tenants/${shop.tenant}`;
    const found: object[] = [];
    for (const form of forms(path)) {
      const status = await askRaw(app.client, 'GET', form);
      if (![200, 400, 404].includes(status)) found.push({ form, status });
    }
    expect(found).toEqual([]);
    expect(await askRaw(app.client, 'GET', `${path}/`)).toBe(404);
    expect(await askRaw(app.client, 'GET', path.replace('tenants', 'Tenants'))).toBe(404);
    expect(await askRaw(app.client, 'GET', `/${path}`)).toBe(404);
  });

  it.each([
    '..%2f..%2fpackage.json',
    '%2e%2e/%2e%2e/package.json',
    '....//package.json',
    '/etc/passwd',
    '..\\package.json',
  ])('reaches no file outside of the documentation: /docs/%s', async (path) => {
    for (const client of [app.client, actors['nobody']!])
      expect([400, 403, 404]).toContain(await askRaw(client, 'GET', `/docs/${path}`));
  });
});
