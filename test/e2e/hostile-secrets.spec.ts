import { addressOf, routesOf, type Route } from '../support/checks/access-matrix.js';
import { startProcess, type TestProcess } from '../support/server/app.js';
import type { Answer, Client, RequestHeaders } from '../support/api/client.js';
import type { ApiDocument } from '../support/api/openapi.js';
import { bearer, type Tokens } from '../support/api/people.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace } from '../support/api/workspace.js';

/** One for each place, so that a find names the place. None is a word that could occur by itself. */
const planted = new Map<string, string>();
const plant = (place: string): string => {
  const secret = `Zq7${Buffer.from(place).toString('hex')}xK9`;
  planted.set(place, secret);
  return secret;
};
/** The form that a password or token needs to be accepted there. */
const given = (place: string, value: string): string => {
  planted.set(place, value);
  return value;
};

let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;
/** Everything that was shown or written, by place. */
const shown = new Map<string, string>();

beforeAll(async () => {
  receiver = await WebhookReceiver.start();
  const env = {
    LOG_LEVEL: 'trace',
    METRICS_TOKEN: plant('setting: METRICS_TOKEN'),
    SECRET_KEY: plant('setting: SECRET_KEY'),
    MAIL_URL: `smtp://somebody:${plant('setting: MAIL_URL')}@127.0.0.1:1`,
    MAIL_FROM: 'store@example.test',
    PUBLIC_URL: 'https://store.example.test',
  };
  server = await startProcess({ env });
  given('the first key', server.apiKey);
  given('setting: ADMIN_PASSWORD', server.adminPassword);
  shop = await Workspace.create(server.client);
  await askEverywhere();
  await logInAndOut();
  await deliver();
  shown.set('metrics', (await server.client.get('/metrics')).text);
  shown.set('openapi', (await server.client.get('/openapi.json')).text);
  shown.set('docs', (await server.client.get('/docs/swagger-ui-init.js')).text);
  await server.stop();
  shown.set('log', server.output());
}, 60_000);
afterAll(() => Promise.all([server?.kill(), receiver?.stop()]));

const keep = (answer: Answer<unknown>): void => {
  if (answer.status >= 400) shown.set('errors', `${shown.get('errors') ?? ''}${answer.status} ${answer.text}\n`);
};

/** Every route, with secrets where strangers and careless clients put them; none of it is a valid request. */
async function askEverywhere(): Promise<void> {
  const routes = routesOf((await server.client.get<ApiDocument>('/openapi.json')).body);
  const places = { tenantId: shop.tenant, namespaceId: 'shop', topicId: 'orders' };
  const headers: RequestHeaders = {
    cookie: `session=${plant('header: Cookie')}`,
    'proxy-authorization': `Basic ${plant('header: Proxy-Authorization')}`,
    'x-secret': plant('header: X-Secret'),
    'x-auth-token': plant('header: X-Auth-Token'),
    referer: `https://example.test/?token=${plant('header: Referer')}`,
    'if-match': `"${plant('header: If-Match')}"`,
    'idempotency-key': plant('header: Idempotency-Key'),
  };
  const query = `token=${plant('query: token')}&password=${plant('query: password')}&api_key=${plant('query: api_key')}`;
  const credentials: RequestHeaders[] = [
    { 'x-api-key': plant('header: X-API-Key') },
    bearer(plant('header: Authorization, Bearer')),
    { authorization: `Basic ${plant('header: Authorization, Basic')}` },
    { authorization: `ApiKey ${plant('header: Authorization, ApiKey')}` },
  ];
  const body = {
    password: plant('body: password'),
    newPassword: plant('body: newPassword'),
    currentPassword: plant('body: currentPassword'),
    token: plant('body: token'),
    refreshToken: plant('body: refreshToken'),
    secret: plant('body: secret'),
    unknown: { deep: [plant('body: unknown field')] },
    headers: { authorization: plant('body: headers') },
    data: plant('body: data'),
    url: 7,
    type: 7,
    name: 7,
  };
  expect(routes.length).toBeGreaterThan(80);
  for (const route of routes) {
    const address = `${addressOf(route, places)}?${query}`;
    const ask = (client: Client, own: RequestHeaders, sent: object | string): Promise<Answer<unknown>> =>
      client.request<unknown>(route.method, address, takesBody(route) ? sent : undefined, own);
    const answers = await Promise.all([
      ask(server.client, headers, body),
      ask(server.client, headers, `{"broken": "${plant('body: broken')}", `),
      ...credentials.map((own) => ask(server.client.with({}), own, body)),
    ]);
    for (const answer of answers) keep(answer);
  }
}

const takesBody = ({ method }: Route): boolean => method !== 'GET' && method !== 'DELETE';

/** Secrets that are accepted: passwords, tokens, keys. */
async function logInAndOut(): Promise<void> {
  const anonymous = server.client.with({});
  const email = 'person@example.test';
  const password = given('a password', 'correct horse 4711 battery');
  await server.client.post('/users', { email, name: 'Person', password });
  const wrong = given('a wrong password', 'wrong horse 4711 battery');
  keep(await anonymous.post('/auth/login', { email, password: wrong }));
  keep(await anonymous.post('/auth/login', { email: plant('a password typed as e-mail'), password: wrong }));
  const { body } = await anonymous.post<Tokens>('/auth/login', { email, password });
  given('an access token', body.accessToken);
  given('a refresh token', body.refreshToken);
  const own = server.client.with(bearer(body.accessToken));
  const changed = given('a new password', 'another horse 4711 battery');
  keep(await own.post('/auth/password/change', { currentPassword: wrong, newPassword: changed }));
  await own.post('/auth/password/change', { currentPassword: password, newPassword: changed });
  const { body: next } = await anonymous.post<Tokens>('/auth/refresh', { refreshToken: body.refreshToken });
  given('the next refresh token', next.refreshToken);
  keep(await anonymous.post('/auth/refresh', { refreshToken: body.refreshToken }));
  // No server accepts the mail: the failure is logged, with everything it contains.
  await anonymous.post('/auth/password/reset-request', { email });
  keep(await anonymous.post('/auth/password/reset', { token: `epr_${'x'.repeat(43)}`, newPassword: changed }));
  const key = await server.client.post<{ key: string }>('/users/me/api-keys', { name: 'key' });
  given('a new key', key.body.key);
  await server.client.with({ 'x-api-key': key.body.key }).get('/auth/me');
}

/** Secrets that are delivered: data of events, headers and secrets of consumers, responses of endpoints. */
async function deliver(): Promise<void> {
  receiver.next({
    status: 500,
    headers: { 'x-secret': plant('a header of an endpoint') },
    body: plant('the answer of an endpoint'),
  });
  const consumer = await shop.register(`${receiver.url}?token=${plant('the URL of a consumer')}`, {
    headers: { authorization: `Bearer ${plant('a header of a consumer')}` },
  });
  given('the signing secret', consumer.secret.slice('whsec_'.length));
  const before = receiver.requests.length;
  const metadata = { note: plant('the metadata of an event') };
  await shop.publish({ id: 'shown', type: 'order.created', data: { card: plant('the data of an event') }, metadata });
  await receiver.received(before + 2);
  await until(
    () => server.client.post('/audit/export', { format: 'ndjson' }),
    ({ text }) => ['consumer.registered', 'auth.refused', 'auth.login-failed'].every((action) => text.includes(action)),
  ).then(({ text }) => shown.set('audit', text));
}

describe('a secret', () => {
  it('is in no log, metric, error, document or record of the audit, wherever it was planted', () => {
    expect([...shown.keys()].toSorted()).toEqual(['audit', 'docs', 'errors', 'log', 'metrics', 'openapi']);
    expect(planted.size).toBeGreaterThan(35);
    const found = [...shown].flatMap(([where, text]) =>
      [...planted].filter(([, secret]) => text.includes(secret)).map(([place]) => `${place} in ${where}`),
    );
    // A URL is no place for a secret, as docs/consumers.md says: the audit records where events went, and who changed it.
    expect(found).toEqual(['the URL of a consumer in audit']);
  });

  it('would be found: text that is not secret is there', () => {
    expect(shown.get('log')).toMatch(/"eventIds":\["shown"\]/);
    expect(shown.get('log')).toContain('delivery failed');
    expect(shown.get('log')).toContain('a mail was not taken');
    expect(shown.get('errors')!.split('\n').length).toBeGreaterThan(400);
    expect(shown.get('metrics')).toContain('order');
  });
});
