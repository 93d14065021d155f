import { addressOf, routesOf, type Places, type Route } from '../support/checks/access-matrix.js';
import { sharedApp } from '../support/server/app.js';
import { must, type Client, type RequestHeaders } from '../support/api/client.js';
import { EventStream } from '../support/api/event-stream.js';
import type { ApiDocument } from '../support/api/openapi.js';
import { Person, stranger } from '../support/api/people.js';
import { member, newPerson } from '../support/api/strangers.js';
import { until, Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let routes: Route[];
/** A logged-in user: keys cannot do everything. */
let administrator: Client;
let places: Places;

beforeAll(async () => {
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

  it('that is unknown is refused by every operation, by name, without any effect', async () => {
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

  it('that is unknown does not stop a probe', async () => {
    for (const path of PROBES) expect((await app.client.get(`${path}?from=balancer`)).status).toBe(200);
  });
});

describe('a precondition', () => {
  const patch = (headers: RequestHeaders) => app.client.patch(shop.base, { name: 'Shop' }, headers);
  const etagOf = async (path: string): Promise<string> => (await app.client.get(path)).headers.get('etag')!;

  it('is a list of ETags, one of which must be current', async () => {
    const etag = await etagOf(shop.base);
    const told = async (header: string): Promise<number> => (await patch({ 'if-match': header })).status;
    for (const met of [etag, '*', `"nope", ${etag}`, `${etag},"W/x"`, `, ${etag} ,`, ` ${etag}`])
      expect([met, await told(met)]).toEqual([met, 200]);
    for (const unmet of ['"nope"', '""', `W/${etag}`, '"01"', '"a,b"', '"99999999999999999999"'])
      expect([unmet, await told(unmet)]).toEqual([unmet, 412]);
    for (const broken of ['nope', '"nope', `${etag} ${etag}`, '*, "1"', '"a" "b"', ','])
      expect([broken, await told(broken)]).toEqual([broken, 400]);
  });

  it('of If-None-Match prevents a change of the versions that it names', async () => {
    const etag = await etagOf(shop.base);
    for (const unmet of ['*', etag, `W/${etag}`, `"nope", ${etag}`])
      expect([unmet, (await patch({ 'if-none-match': unmet })).status]).toEqual([unmet, 412]);
    expect((await patch({ 'if-none-match': '"nope"' })).status).toBe(200);
    expect((await patch({ 'if-none-match': 'nope' })).status).toBe(400);
  });

  it('of If-None-Match: * lets a PUT only create; If-Match: * lets it only replace', async () => {
    const { userId } = await newPerson(app);
    const tenant = `/tenants/${shop.tenant}`;
    const retention = `${tenant}/audit/retention`;
    const put = async (path: string, body: object, headers: RequestHeaders): Promise<number> =>
      (await app.client.request('PUT', path, body, headers)).status;
    const [none, some] = [{ 'if-none-match': '*' }, { 'if-match': '*' }];
    for (const [path, body] of [
      [`${tenant}/members/${userId}`, { roles: ['viewer'] }],
      [`${tenant}/users/${userId}/roles/developer`, {}],
      [`${tenant}/groups/team/members/${userId}`, {}],
    ] as const) {
      const ok = path.includes('groups') ? 204 : 200;
      const told = [await put(path, body, some), await put(path, body, none), await put(path, body, none)];
      expect([path, ...told, await put(path, body, some)]).toEqual([path, 412, ok, 412, ok]);
    }
    expect([await put(retention, { maxAge: 'P90D' }, none), await put(retention, { maxAge: 'P90D' }, some)]).toEqual([
      412, 200,
    ]);
    expect((await app.client.delete(`${tenant}/members/${userId}`)).status).toBe(204);
    expect(await put(`${tenant}/members/${userId}`, { roles: [] }, none)).toBe(200);
  });

  it('gives 304 on every route with an ETag, and the full response for another ETag', async () => {
    const found: object[] = [];
    let shown = 0;
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const path = addressOf(route, places);
      const etag = (await app.client.get(path)).headers.get('etag');
      if (etag === null) continue;
      shown++;
      const ask = async (method: string, tags: string) => {
        const answer = await app.client.request(method, path, undefined, { 'if-none-match': tags });
        return [answer.status, answer.text === '', answer.headers.get('etag')];
      };
      const told = [await ask('GET', etag), await ask('HEAD', `W/${etag}`), await ask('GET', '*')];
      if (told.some((one) => String(one) !== String([304, true, etag]))) found.push({ path, told });
      if ((await ask('GET', '"other"'))[0] !== 200) found.push({ path, other: true });
    }
    expect(shown).toBeGreaterThan(8);
    expect(found).toEqual([]);
    expect((await app.client.get(shop.base, { 'if-none-match': '1' })).status).toBe(400);
  });
});

describe('the representation', () => {
  const typeOf = async (accept: string): Promise<string> => {
    const { status, headers } = await app.client.get(shop.events(), { accept });
    return `${status} ${headers.get('content-type')!.split(';')[0]}`;
  };

  it('of events is the preferred one, by weight', async () => {
    expect(await typeOf('text/event-stream;q=0, application/json')).toBe('200 application/json');
    expect(await typeOf('application/json;q=0.5, application/x-ndjson')).toBe('200 application/x-ndjson');
    expect(await typeOf('text/html, application/xhtml+xml, */*;q=0.8')).toBe('200 application/json');
    expect(await typeOf('text/html, */*;q=0')).toBe('406 application/problem+json');
  });

  it('of every read is JSON, or 406; a change is never refused for the format of its response', async () => {
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

  it('of a live stream starts at the beginning for an empty Last-Event-ID', async () => {
    const stream = await EventStream.open(app.client, shop.events(), '');
    expect((await stream.received(1))[0]!.id).toMatch(/^1\//);
    stream.close();
  });
});

describe('an Idempotency-Key', () => {
  it('is the same with quotes, as in the IETF draft, and without', async () => {
    const send = (key: string) => app.client.post(`${shop.base}/topics`, {}, { 'idempotency-key': key });
    const first = await send('a-key');
    expect(first.status).toBe(201);
    for (const again of ['"a-key"', '"a-key";v=1', 'a-key']) {
      const { text, headers } = await send(again);
      expect([again, text, headers.get('idempotent-replayed')]).toEqual([again, first.text, 'true']);
    }
    expect((await send(String.raw`"a \"quoted\" key"`)).status).toBe(201);
    for (const broken of ['""', '"a', '"a"b"', String.raw`"a\b"`, 'a b', `"${'x'.repeat(256)}"`])
      expect([broken, (await send(broken)).body.code]).toEqual([broken, 'idempotency-key-invalid']);
  });
});

describe('the rest of a limit', () => {
  const told = ({ headers }: { headers: Headers }) => [headers.get('ratelimit-policy'), headers.get('ratelimit')];
  const login = (client: Client, email: string, password: string) => client.post('/auth/login', { email, password });

  it('is shown for logins, also failed ones, and a refusal matches its Retry-After', async () => {
    const [anonymous, somebody] = [app.client.with(stranger()), await Person.create(app)];
    const policies = '"login-address";q=30;w=60, "login-account";q=10;w=86400';
    expect(told(await login(anonymous, somebody.email, somebody.password))).toEqual([
      policies,
      expect.stringMatching(/^"login-address";r=30;t=\d+, "login-account";r=10$/),
    ]);
    const failed = await login(anonymous, 'nobody@example.com', 'wrong');
    const left = /^"login-address";r=29;t=\d+, "login-account";r=9$/;
    expect([failed.status, ...told(failed)]).toEqual([401, policies, expect.stringMatching(left)]);
    for (let guess = 2; guess <= 10; guess++) await login(anonymous, 'nobody@example.com', 'wrong');
    const refused = await login(anonymous, 'nobody@example.com', 'wrong');
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([
      429,
      expect.stringContaining(`"login-account";r=0;t=${refused.headers.get('retry-after')}`),
    ]);
  });

  it('is shown for mails with a new password, the same for every e-mail', async () => {
    const anonymous = app.client.with(stranger());
    const ask = (email: string) => anonymous.post('/auth/password/reset-request', { email });
    const somebody = await Person.create(app);
    const [known, unknown] = [await ask(somebody.email), await ask('stranger@example.com')];
    const policies = '"reset-address";q=10;w=3600, "reset-account";q=3;w=3600';
    expect(told(known)).toEqual([
      policies,
      expect.stringMatching(/^"reset-address";r=9;t=\d+, "reset-account";r=2;t=\d+$/),
    ]);
    expect(told(unknown)).toEqual([
      policies,
      expect.stringMatching(/^"reset-address";r=8;t=\d+, "reset-account";r=2;t=\d+$/),
    ]);
  });

  it('is shown for publishing, also if it is refused for another reason', async () => {
    const path = `/tenants/${shop.tenant}`;
    await app.client.patch(path, { limits: { eventsPerSecond: 5, storageBytes: 1_000_000 } });
    const policies = '"storage";q=1000000;qu="content-bytes", "tenant";q=5;w=1';
    const published = await shop.tryPublish({ type: 't', data: 1 });
    expect([published.status, ...told(published)]).toEqual([
      201,
      policies,
      expect.stringMatching(/^"storage";r=\d{6}, "tenant";r=4;t=1$/),
    ]);
    const conflict = await shop.tryPublish({ type: 't', stream: 'new', data: 1 }, { 'expected-stream-version': '7' });
    expect([conflict.status, told(conflict)[0]]).toEqual([409, policies]);
    const many = await shop.tryPublish(Array.from({ length: 5 }, () => ({ type: 't', data: 1 })));
    expect([many.status, many.headers.get('ratelimit')]).toEqual([429, expect.stringMatching(/"tenant";r=0;t=1$/)]);
    await app.client.patch(path, { limits: { eventsPerSecond: null, storageBytes: null } });
  });

  it('is shown for permissions with a rate, open streams, the audit and kept responses', async () => {
    const person = await newPerson(app);
    const rate = { rateLimit: { limit: 2, windowSeconds: 3_600 } };
    await app.client.post(`/tenants/${shop.tenant}/permissions`, {
      principal: { user: person.userId },
      effect: 'allow',
      actions: ['event:read'],
      resource: `tenants/${shop.tenant}/**`,
      constraints: rate,
    });
    const read = await person.client.get(shop.events());
    expect(told(read)).toEqual(['"permission";q=2;w=3600', '"permission";r=1;t=1800']);
    const openStream = async () => {
      const stream = await app.client.open('GET', shop.events(), undefined, { accept: 'text/event-stream' });
      await stream.body!.cancel();
      return told(stream).join();
    };
    // An earlier stream counts until the server has noticed that its reader is gone.
    const alone = '"streams";q=500;qu="concurrent-requests","streams";r=499';
    expect(await until(openStream, (headers) => headers === alone)).toBe(alone);
    const verified = await app.client.get(`/tenants/${shop.tenant}/audit/verify`);
    expect(told(verified)).toEqual(['"audit";q=1;qu="concurrent-requests"', '"audit";r=1']);
    const kept = await app.client.post(`${shop.base}/topics`, {}, { 'idempotency-key': 'another' });
    expect(told(kept)[0]).toBe('"kept-answers";q=1073741824;qu="content-bytes"');
  });
});
