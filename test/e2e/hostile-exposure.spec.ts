import { startApp, startProcess, type TestApp } from '../support/server/app.js';
import type { Answer, RequestHeaders } from '../support/api/client.js';
import { MailServer } from '../support/api/mail-server.js';
import { routesOf, type ApiDocument } from '../support/api/openapi.js';
import { environmentWith, from } from '../support/api/people.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { until, Workspace } from '../support/api/workspace.js';

const METRICS_TOKEN = 'a-token-for-prometheus-4711';
const MAIL_PASSWORD = 'mail-password-4711';
const ELSEWHERE = from('203.0.113.9');
/** What the product is made of and where it runs: must not be visible. */
const INSIDE =
  /postgres|fastify|express|nestjs|pino|undici|node[ _-]?(?:js|version)|v\d+\.\d+\.\d+|127\.0\.0\.1|\/src\/|node_modules|\.js:\d/i;

let app: TestApp;
let mail: MailServer;
let shop: Workspace;
let hidden: string[];

beforeAll(async () => {
  mail = await MailServer.start();
  const env = environmentWith(mail);
  const mailUrl = env['MAIL_URL']!.replace('//', `//somebody:${MAIL_PASSWORD}@`);
  app = await startApp({ env: { ...env, MAIL_URL: mailUrl, METRICS_TOKEN } });
  shop = await Workspace.create(app.client, ['private-topic']);
  const consumer = await shop.register('http://127.0.0.1:65000/', { topics: [{ topic: 'private-topic' }] });
  await shop.publish({ type: 't', data: 1 }, 'private-topic');
  const names = [shop.tenant, 'private-topic', consumer.id, app.adminEmail];
  const secrets = [app.apiKey, app.adminPassword, consumer.secret, METRICS_TOKEN, MAIL_PASSWORD];
  const { password } = app.connection;
  hidden = [...names, ...secrets, ...(typeof password === 'string' && password !== '' ? [password] : [])];
}, 60_000);
afterAll(async () => {
  await Promise.all([app?.stop(), mail?.stop()]);
});

const ask = (path: string, headers: RequestHeaders = ELSEWHERE, method = 'GET'): Promise<Answer<unknown>> =>
  app.client.with({}).request<unknown>(method, path, undefined, headers);
/** Headers and body. */
const shown = ({ headers, text }: Answer<unknown>): string => `${JSON.stringify([...headers])}\n${text}`;
const leaks = (answer: Answer<unknown>): string[] => hidden.filter((secret) => shown(answer).includes(secret));

describe('without credentials', () => {
  it.each(['/health/live', '/health/ready'])('%s shows the state, and nothing else', async (path) => {
    const answer = await ask(path);
    expect([answer.status, leaks(answer)]).toEqual([200, []]);
    expect(shown(answer)).not.toMatch(INSIDE);
    const words = answer.text.match(/[a-z]+/gi)!;
    expect(
      words.filter((word) => !['status', 'ok', 'info', 'error', 'details', 'up', 'process', 'storage'].includes(word)),
    ).toEqual([]);
  });

  it('/openapi.json and /docs show the contract: no secret, no name of a tenant, no setting', async () => {
    for (const path of ['/openapi.json', '/docs', '/docs/', '/docs/swagger-ui-init.js', '/docs/nothing']) {
      const answer = await ask(path);
      expect([path, leaks(answer)]).toEqual([path, []]);
      expect(answer.text).not.toMatch(/node_modules|\/src\/|SECRET_KEY|DATABASE_URL/);
    }
  });

  it.each([
    '/nothing',
    '/tenants',
    '/health',
    '/metrics',
    '/system/dispatchers',
    '/.env',
    '/server-status',
    '/debug/pprof',
    '/config',
  ])('%s is refused without internal details', async (path) => {
    const answer = await ask(path);
    expect([[401, 404].includes(answer.status), leaks(answer)]).toEqual([true, []]);
    expect(shown(answer)).not.toMatch(INSIDE);
  });

  it('no response names the software behind it', async () => {
    for (const path of ['/health/live', '/openapi.json', '/docs', '/tenants', '/nothing']) {
      const { headers } = await ask(path);
      expect([path, headers.get('server'), headers.get('x-powered-by'), headers.get('via')]).toEqual([
        path,
        null,
        null,
        null,
      ]);
    }
  });
});

describe('caches', () => {
  const kept = (headers: Headers): string | null => headers.get('cache-control');

  it('may store no response of any route, refusals included', async () => {
    const { body } = await app.client.get<ApiDocument>('/openapi.json');
    const ids: Record<string, string> = { tenantId: shop.tenant, namespaceId: 'shop', topicId: 'private-topic' };
    const routes = routesOf(body).map(({ method, path, name }) => ({
      name,
      method,
      path: path.replace(/\{(\w+)\}/g, (_, parameter: string) => ids[parameter] ?? 'none'),
    }));
    expect(routes.length).toBeGreaterThan(90);
    for (const { method, path, name } of routes) {
      const refused = await ask(path, ELSEWHERE, method);
      expect([name, kept(refused.headers)]).toEqual([name, 'no-store']);
      if (method !== 'GET') continue;
      const answer = await app.client.get(path);
      expect([name, kept(answer.headers)]).toEqual([name, 'no-store']);
    }
  });

  it.each(['application/json', 'application/x-ndjson', 'text/event-stream'])(
    'may keep no events: %s',
    async (accept) => {
      const leave = new AbortController();
      const { headers, status } = await app.client.open(
        'GET',
        shop.events('private-topic'),
        undefined,
        { accept },
        leave.signal,
      );
      leave.abort();
      expect([status, headers.get('content-type')!.split(';')[0], kept(headers)]).toEqual([200, accept, 'no-store']);
    },
  );
});

describe('Swagger UI', () => {
  it('runs only the script files that come with it', async () => {
    const { headers, text } = await ask('/docs');
    const policy = Object.fromEntries(
      headers
        .get('content-security-policy')!
        .split(';')
        .map((directive) => directive.trim().split(/ (.*)/s, 2)),
    ) as Record<string, string>;
    expect(policy).toMatchObject({ 'default-src': "'self'", 'script-src': "'self'", 'script-src-attr': "'none'" });
    const scripts = [...text.matchAll(/<script([^>]*)>([^<]*)/g)];
    expect(scripts).toHaveLength(3);
    for (const [, attributes, inline] of scripts)
      expect([attributes, inline!.trim()]).toEqual([expect.stringMatching(/src=/), '']);
    expect(text).not.toMatch(/ on\w+=/);
  });

  it('keeps no credentials in the browser', async () => {
    expect((await ask('/docs/swagger-ui-init.js')).text).not.toContain('persistAuthorization');
  });
});

it('in production there is no Swagger UI, but the contract is served', async () => {
  const production = await startProcess({ env: { NODE_ENV: 'production' } });
  const status = async (path: string): Promise<number> => (await production.client.with({}).get(path)).status;
  const paths = ['/docs', '/docs/', '/docs/swagger-ui-init.js', '/docs/swagger-ui-bundle.js', '/openapi.json'];
  const statuses = await Promise.all(paths.map(status));
  await production.stop();
  expect(statuses).toEqual([404, 404, 404, 404, 200]);
});

describe('/metrics', () => {
  const keyWith = async (actions: readonly string[]): Promise<string> => {
    const { body } = await app.client.post<{ key: string }>('/users/me/api-keys', { name: 'scraper', actions });
    return body.key;
  };
  const status = async (headers: RequestHeaders, method?: string): Promise<number> =>
    (await ask('/metrics', headers, method)).status;

  it('is not found from other machines without the token or the permission, whatever is sent', async () => {
    const refused: RequestHeaders[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Basic ${METRICS_TOKEN}` },
      { authorization: METRICS_TOKEN },
      { authorization: `Bearer ${METRICS_TOKEN} x` },
      { 'x-api-key': `${app.apiKey}x` },
      { 'x-api-key': await keyWith(['topic:read']) },
      { 'x-real-ip': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1' },
    ];
    for (const headers of refused)
      expect([headers, await status({ ...ELSEWHERE, ...headers })]).toEqual([headers, 404]);
    expect(await status(from('127.0.0.1, 203.0.113.9'))).toBe(404);
    expect([await status(ELSEWHERE, 'HEAD'), (await ask(`/metrics?token=${METRICS_TOKEN}`)).status]).toEqual([
      404, 404,
    ]);
    for (const scheme of ['Bearer', 'bearer '])
      expect(await status({ ...ELSEWHERE, authorization: `${scheme} ${METRICS_TOKEN}` })).toBe(200);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(404);
  });

  it('is served to other machines with metrics:read in the whole system', async () => {
    for (const key of [app.apiKey, await keyWith(['metrics:read'])])
      expect(await status({ ...ELSEWHERE, 'x-api-key': key })).toBe(200);
  });

  it('shows no secret to permitted readers', async () => {
    const { text } = await ask('/metrics', { authorization: `Bearer ${METRICS_TOKEN}` });
    const secrets = [app.apiKey, app.adminPassword, METRICS_TOKEN, MAIL_PASSWORD, app.adminEmail];
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it('is not found without credentials for a web page on the same machine, whatever name its site uses', async () => {
    const plain = await startProcess();
    const { port } = new URL(plain.url);
    const asked = async (host: string, headers: RequestHeaders = {}): Promise<number> => {
      const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      const answer = await sendRaw(plain.url, `GET /metrics HTTP/1.1\r\n${lines.join('')}connection: close\r\n\r\n`);
      return answer.status;
    };
    for (const own of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]'])
      expect([own, await asked(own)]).toEqual([own, 200]);
    const origin = 'http://evil.example';
    const rebound = [
      await asked(`evil.example:${port}`),
      await asked('evil.example', { origin }),
      await asked(`evil.example:${port}`, { 'sec-fetch-site': 'same-origin' }),
      await asked(`127.0.0.1:${port}`, { origin }),
      await asked(`127.0.0.1:${port}`, { 'sec-fetch-site': 'cross-site' }),
    ];
    expect(rebound).toEqual(rebound.map(() => 404));
    expect(await asked('metrics.example', { 'x-api-key': plain.apiKey })).toBe(200);
    await plain.stop();
  });

  it('names tenants and their resources only with the token or metrics:read, not to the local machine alone', async () => {
    const here = await startProcess({ env: { METRICS_TOKEN } });
    const store = await Workspace.create(here.client, ['private-topic']);
    const consumer = await store.register('http://127.0.0.1:65000/', { topics: [{ topic: 'private-topic' }] });
    const names = [store.tenant, 'private-topic', consumer.id];
    const told = async (headers: RequestHeaders): Promise<string[]> => {
      const { text } = await here.client.with({}).get('/metrics', headers);
      expect(text).toContain('event_store_events_published_total');
      return names.filter((name) => text.includes(name));
    };
    await until(
      () => told({ authorization: `Bearer ${METRICS_TOKEN}` }),
      (found) => found.length === names.length,
    );
    expect(await told({ 'x-api-key': here.apiKey })).toEqual(names);
    expect(await told({})).toEqual([]);
    await here.stop();
  });

  it('is not found through a proxy on the same machine that is not configured', async () => {
    const plain = await startProcess();
    const anonymous = plain.client.with({});
    const passedOn = [
      ELSEWHERE,
      from('127.0.0.1'),
      { forwarded: 'for=127.0.0.1' },
      { 'x-real-ip': '::1' },
      { via: '1.1 x' },
    ];
    const statuses = [];
    for (const headers of [{}, ...passedOn]) statuses.push((await anonymous.get('/metrics', headers)).status);
    expect(statuses).toEqual([200, ...passedOn.map(() => 404)]);
    await plain.stop();
  });
});
