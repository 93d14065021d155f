import { startApp, startProcess, type TestApp } from '../support/server/app.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer, type Page } from '../support/api/workspace.js';

/** As in production, except for plain http: the scheme is not tested here. */
const PUBLIC_ONLY = { NODE_ENV: 'production', DELIVERY_ALLOWED_CIDRS: '', DELIVERY_ALLOW_HTTP: 'true' };

let app: TestApp;
let shop: Workspace;
let inside: WebhookReceiver;

beforeAll(async () => {
  app = await startApp({ env: PUBLIC_ONLY });
  shop = await Workspace.create(app.client);
  inside = await WebhookReceiver.start();
});
afterAll(async () => {
  await inside?.stop();
  await app?.stop();
});

const register = (url: string) =>
  app.client.post<Consumer>(`${shop.base}/consumers`, { url, topics: [{ topic: 'orders' }] });

describe('a webhook URL with an internal address is refused at once', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://127.000.000.001:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://0:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[0:0:0:0:0:ffff:7f00:0001]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[64:ff9b:1::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[2001:0:7f00:1::]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://[fec0::1]:PORT/',
    'http://[fc00::1]:PORT/',
    'http://[fd00:ec2::254]:PORT/',
    'http://[ff02::1]:PORT/',
    'http://127.0.0.1.:PORT/',
    'http:127.0.0.1:PORT/',
    'http:\\\\127.0.0.1:PORT/',
    'http://127%2e0%2e0%2e1:PORT/',
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://127。0。0。1:PORT/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:a9fe:a9fe]/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:a9fe:a9fe::]/',
    'http://0xa9fea9fe/',
    'http://168.63.129.16/',
    'http://2852039166/',
    'http://198.18.0.1/',
    'http://192.0.2.1/',
    'http://224.0.0.1/',
    'http://240.0.0.1/',
    'http://255.255.255.255/',
  ])('%s', async (form) => {
    const { status, body } = await register(form.replace('PORT', String(inside.port)));
    expect([status, (body as unknown as { code?: string }).code]).toEqual([
      400,
      expect.stringMatching(/^webhook-(address-refused|url-invalid)$/),
    ]);
  });

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'gopher://example.com/',
    'unix:/var/run/docker.sock',
    'data:text/plain,x',
    '//example.com/',
    'http://',
    'http://user:password@example.com/',
    'http://user@example.com/',
    'http://:password@example.com/',
    'http://example.com:22/',
    'http://example.com:25/',
    'http://example.com:0/',
    'http://example.com:99999/',
    'http://exa mple.com/',
    'http://example.com/\r\nX-Injected: 1',
    'http://example.com/\u0000',
    'http://localhost.:1234567/',
    `http://example.com/${'x'.repeat(5_000)}`,
    '',
    ' ',
  ])('%j is not a webhook URL', async (url) => {
    expect((await register(url)).status).toBe(400);
  });

  it.each([
    ['HTTPS:\\\\Example.COM:443\\a\\..\\hook?x=ü y', 'https://example.com/hook?x=%C3%BC%20y'],
    ['http://0x5db8d822', 'http://93.184.216.34/'],
    ['https://bücher.example', 'https://xn--bcher-kva.example/'],
  ])('that is allowed is shown in its normalized form: %s', async (typed, used) => {
    const { body } = await register(typed);
    const patched = await app.client.patch<Consumer>(shop.consumer(body.id), { url: used });
    const { body: page } = await app.client.get<Page<Consumer>>(`${shop.base}/consumers?limit=1000`);
    const listed = page.items.find(({ id }) => id === body.id);
    expect([body.url, patched.body.url, listed!.url]).toEqual([used, used, used]);
    expect(patched.body.version).toBe(body.version);
    await app.client.delete(shop.consumer(body.id));
  });

  it.each([`https://${'a'.repeat(64)}.example/`, 'https://a..example/'])(
    'is refused if its name is too long for DNS: %s',
    async (url) => {
      const { status, body } = await register(url);
      expect([status, body]).toMatchObject([400, { code: 'webhook-url-invalid', errors: [{ pointer: '/url' }] }]);
    },
  );

  it('leaves nothing behind, and a PATCH does not allow what a POST refuses', async () => {
    const { body } = await register('https://example.com/hook');
    const patched = await app.client.patch(shop.consumer(body.id), { url: `http://127.0.0.1:${inside.port}/` });
    expect(patched.status).toBe(400);
    expect((await app.client.get<Consumer>(shop.consumer(body.id))).body.url).toBe('https://example.com/hook');
    await app.client.delete(shop.consumer(body.id));
    expect((await app.client.get<Page<Consumer>>(`${shop.base}/consumers`)).body.items).toEqual([]);
    expect(inside.requests).toEqual([]);
  });
});

describe('a name that resolves to an internal address', () => {
  it.each(['localhost', 'LOCALHOST', 'localhost.', 'some.localhost'])(
    'is refused when it is registered or when a connection is opened: %s',
    async (name) => {
      const answer = await register(`http://${name}:${inside.port}/hook`);
      const test = await app.client.post<{ delivered?: boolean }>(`${shop.consumer(answer.body.id)}/test`);
      await app.client.delete(shop.consumer(answer.body.id));
      expect([answer.status === 400, test.body.delivered === false]).toContain(true);
      expect(inside.requests).toEqual([]);
    },
  );
});

describe('an address that is no longer allowed', () => {
  it('is refused when the connection is opened, although it was allowed at registration', async () => {
    const own = await startProcess();
    const receiver = await WebhookReceiver.start();
    const home = await Workspace.create(own.client);
    const { id } = await home.register(receiver.url);
    await own.kill();
    const strict = await startProcess({ connection: own.connection, apiKey: own.apiKey, env: PUBLIC_ONLY });
    const strictHome = home.through(strict.client);
    await strictHome.publishMany(1);
    const { lastError } = await until(
      () => strictHome.topicStatus(id),
      (status) => status.lastError !== null,
    );
    expect(lastError).toMatchObject({ phase: 'refused', status: null });
    expect(receiver.requests).toEqual([]);
    await strict.stop();
    await own.stop();
    await receiver.stop();
  });

  it('beside an allowed one stays refused', async () => {
    const own = await startProcess({ env: { DELIVERY_ALLOWED_CIDRS: '127.0.0.1/32', DELIVERY_ALLOW_HTTP: 'true' } });
    const home = await Workspace.create(own.client);
    expect((await home.register('http://127.0.0.1:65000/')).id).toBeTruthy();
    const refused = await own.client.post(`${home.base}/consumers`, {
      url: 'http://127.0.0.2:65000/',
      topics: [{ topic: 'orders' }],
    });
    expect(refused.status).toBe(400);
    await own.stop();
  });
});

it('production accepts https only', async () => {
  const own = await startProcess({ env: { NODE_ENV: 'production', DELIVERY_ALLOWED_CIDRS: '' } });
  const home = await Workspace.create(own.client);
  const asked = { topics: [{ topic: 'orders' }] };
  expect((await own.client.post(`${home.base}/consumers`, { ...asked, url: 'http://example.com/' })).status).toBe(400);
  expect((await own.client.post(`${home.base}/consumers`, { ...asked, url: 'https://example.com/' })).status).toBe(201);
  await own.stop();
});
