import { once } from 'node:events';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { startProcess, type TestProcess } from '../support/server/app.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';
import { until, Workspace, type Consumer, type TopicStatus } from '../support/api/workspace.js';

const SECRET = 'root:x:0:0:what-an-inner-service-says';
/** An attempt and one repetition show everything. */
const TWICE = { strategy: 'fixed', initialDelayMs: 20, maxDelayMs: 20, jitter: 0, maxAttempts: 2 };
const PUBLIC_ADDRESS = '93.184.215.14';

let server: TestProcess;
let shop: Workspace;
let receiver: WebhookReceiver;
const opened: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  const env = { NODE_ENV: 'production', DELIVERY_ALLOW_HTTP: 'true', DELIVERY_ALLOWED_CIDRS: '127.0.0.1/32' };
  server = await startProcess({ env: { ...env, LOG_LEVEL: 'debug' } });
});
afterAll(() => server?.stop());
beforeEach(async () => {
  [shop, receiver] = await Promise.all([Workspace.create(server.client), WebhookReceiver.start()]);
});
afterEach(async () => {
  await receiver?.stop();
  for (const socket of sockets) socket.destroy();
  for (const one of opened.splice(0)) one.close();
});

/** Starts any server; returns its port. */
async function listening<S extends Server>(inner: S): Promise<number> {
  opened.push(inner);
  inner.on('connection', (socket: Socket) => sockets.add(socket));
  inner.listen(0, '127.0.0.1');
  await once(inner, 'listening');
  return (inner.address() as AddressInfo).port;
}

/** How a delivery to that address ended, once its attempts are used up. */
async function blocked(url: string, body: object = {}): Promise<{ id: string; status: TopicStatus; shown: string }> {
  const { id } = await shop.register(url, { retry: TWICE, ...body });
  await shop.publish({ type: 'order.created', data: 1 });
  const status = await until(
    () => shop.topicStatus(id),
    ({ state }) => state === 'blocked',
  );
  return { id, status, shown: (await server.client.get(`${shop.consumer(id)}/status`)).text };
}

/** The log entries of the consumer. */
const logged = (id: string): Promise<string> =>
  until(
    () =>
      Promise.resolve(
        server
          .output()
          .split('\n')
          .filter((line) => line.includes(id) && line.includes('delivery failed'))
          .join('\n'),
      ),
    (lines) => lines !== '',
  );

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('is not followed, is a failure, and is logged: %i', async (status) => {
    const inner = await WebhookReceiver.start();
    const targets = [
      'http://169.254.169.254/latest/meta-data/',
      inner.url,
      `http://127.0.0.1:5432/`,
      'file:///etc/passwd',
      '//[::1]/',
    ];
    let nth = 0;
    receiver.always(() => ({ status, headers: { location: targets[nth++ % targets.length]! }, body: SECRET }));
    const {
      id,
      status: last,
      shown,
    } = await blocked(receiver.url, { retry: { ...TWICE, maxAttempts: targets.length } });
    expect(last.lastError).toMatchObject({ phase: 'response', status });
    expect([receiver.requests.length, inner.requests.length]).toEqual([targets.length, 0]);
    expect(shown).not.toMatch(/169\.254|passwd|5432|inner-service/);
    expect(await logged(id)).toContain(String(status));
    await inner.stop();
  });

  it('does not lead from https to http: a server without TLS gets nothing', async () => {
    const heard: Buffer[] = [];
    const port = await listening(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.end(`HTTP/1.1 302 Found\r\nLocation: ${receiver.url}\r\n\r\n`);
      }),
    );
    const { id, status } = await blocked(`https://127.0.0.1:${port}/hook`);
    const message = 'the port does not speak TLS';
    expect(status.lastError).toMatchObject({ phase: 'tls', status: null, message });
    expect(await logged(id)).toContain(message);
    const test = await server.client.post<{ error: string }>(`${shop.consumer(id)}/test`);
    expect(test.body.error).toBe(message);
    expect(receiver.requests).toEqual([]);
    expect(Buffer.concat(heard).toString('latin1')).not.toMatch(/POST|webhook|order/);
  });
});

describe('a name whose address changes', () => {
  const register = (host: string) =>
    server.client.post<Consumer>(`${shop.base}/consumers`, {
      url: `http://${host}:${receiver.port}/hook`,
      topics: [{ topic: 'orders' }],
      retry: TWICE,
    });

  it.each([
    ['to loopback, which is not allowed', ['127.0.0.2']],
    ['to the metadata of the cloud', ['169.254.169.254']],
    ['to a mapped address', ['::ffff:169.254.169.254']],
    ['to a private one among public ones', [PUBLIC_ADDRESS, '10.0.0.1']],
  ])('between the check and the connection is refused at the connection: %s', async (_, later) => {
    const host = `rebinding-${shop.tenant}.example`;
    await server.surround({ names: { [host]: [PUBLIC_ADDRESS] } });
    const { status, body } = await register(host);
    expect(status).toBe(201);
    await server.surround({ names: { [host]: later } });
    await shop.publishMany(1);
    const { lastError } = await until(
      () => shop.topicStatus(body.id),
      ({ state }) => state === 'blocked',
    );
    expect(lastError).toMatchObject({ phase: 'refused', status: null });
    expect(JSON.stringify(lastError)).not.toMatch(/169\.254|10\.0\.0\.1|127\.0\.0/);
    expect(await logged(body.id)).toContain('refused');
    expect(receiver.requests).toEqual([]);
  });

  it('is looked up again for each new connection, and is refused at registration', async () => {
    const host = `again-${shop.tenant}.example`;
    await server.surround({ names: { [host]: ['127.0.0.1'] } });
    receiver.always({ headers: { connection: 'close' } });
    const { body } = await register(host);
    await shop.publishMany(1, 'good');
    await receiver.received(1);
    await server.surround({ names: { [host]: ['127.0.0.2'] } });
    await shop.publishMany(1, 'bad');
    const { lastError } = await until(
      () => shop.topicStatus(body.id),
      ({ state }) => state === 'blocked',
    );
    expect([lastError!.phase, receiver.requests.length]).toEqual(['refused', 1]);
    const refused = await register(host);
    expect([refused.status, (refused.body as unknown as { code: string }).code]).toEqual([
      400,
      'webhook-address-refused',
    ]);
    expect(refused.text).not.toContain('127.0.0.2');
  });
});

describe('a port', () => {
  it.each([0, 1, 21, 22, 23, 25, 53, 111, 139, 445, 587, 993])('of another service is refused: %i', async (port) => {
    const url = `http://example.com:${port}/`;
    const answer = await server.client.post<{ code: string }>(`${shop.base}/consumers`, {
      url,
      topics: [{ topic: 'orders' }],
    });
    expect([answer.status, answer.body.code]).toEqual([400, 'webhook-url-invalid']);
  });

  it('of a server that does not speak HTTP discloses nothing of its output', async () => {
    const port = await listening(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.end(`SSH-2.0-${SECRET}\r\n`);
      }),
    );
    const { id, status, shown } = await blocked(`http://127.0.0.1:${port}/`);
    expect(status.lastError).toMatchObject({ phase: 'response', status: null });
    expect(shown).not.toContain('inner-service');
    expect(await logged(id)).not.toContain('inner-service');
  });
});

describe('a response', () => {
  it('of an internal service is never shown; its status is shown and logged', async () => {
    receiver.always({ status: 403, headers: { 'x-inner': SECRET }, body: SECRET });
    const { id, status, shown } = await blocked(receiver.url);
    expect(status.lastError).toMatchObject({ phase: 'response', status: 403 });
    const test = await server.client.post(`${shop.consumer(id)}/test`);
    for (const text of [shown, test.text]) expect(text).not.toContain('inner-service');
    expect(await logged(id)).toContain('403');
  });

  it('of a gigabyte is read up to 64 KiB, on success and failure', async () => {
    for (const status of [200, 500]) {
      const whole = Promise.withResolvers<number>();
      const inner = createHttpServer((request, response) => {
        request.resume();
        response.writeHead(status, { 'content-length': 2 ** 30 });
        void poured(response).then(whole.resolve);
      });
      const { id } = await shop.register(`http://127.0.0.1:${await listening(inner)}/`, { retry: TWICE });
      await shop.publish({ type: 't', data: 1 });
      // The buffers on both sides of loopback are larger than what is read.
      expect(await whole.promise).toBeLessThan(64 * 2 ** 20);
      const reached = (one: TopicStatus) => (status === 200 ? one.lag.events === 0 : one.lastError?.status === 500);
      await until(() => shop.topicStatus(id), reached);
      await server.client.delete(shop.consumer(id));
    }
  });

  it('that never ends, or never begins, is ended by the timeout', async () => {
    for (const [reaction, lastError] of [
      [
        { status: 500, drip: true },
        { phase: 'response', status: 500 },
      ],
      [{ hang: true }, { phase: 'timeout', status: null }],
    ] as const) {
      receiver.always(reaction);
      const { id, status } = await blocked(receiver.url, { timeoutMs: 500 });
      expect(status.lastError).toMatchObject(lastError);
      await server.client.delete(shop.consumer(id));
    }
  });
});

/** Bytes that were written until the reader stopped. */
async function poured(response: ServerResponse): Promise<number> {
  const piece = Buffer.alloc(65_536, 'x');
  const gone = once(response, 'close');
  response.on('error', () => undefined);
  let bytes = 0;
  while (!response.destroyed && bytes < 2 ** 30) {
    bytes += piece.length;
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), gone]);
  }
  return bytes;
}
