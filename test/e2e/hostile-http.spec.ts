import { once } from 'node:events';
import type { Socket } from 'node:net';
import { startProcess, type TestProcess } from '../support/server/app.js';
import { brokenRequests } from '../support/faults/broken-requests.js';
import { openSocket, sendRaw, sendUntilClosed, statusesOf } from '../support/faults/raw-http.js';
import { until, Workspace } from '../support/api/workspace.js';

/** Expired connections are looked for every two seconds; the rest is for a busy machine. */
const TIMEOUT_MS = 3_000;
const IN_TIME_MS = 20_000;
/** A request of another client; alone it takes a few milliseconds. */
const SOON_MS = 5_000;
const IDLE_SOCKETS = 5_000;
const DRIPPING = 200;

let server: TestProcess;
let shop: Workspace;

beforeAll(async () => {
  const timeout = String(TIMEOUT_MS);
  const env = {
    HTTP_REQUEST_TIMEOUT_MS: timeout,
    HTTP_HEADERS_TIMEOUT_MS: timeout,
    HTTP_KEEP_ALIVE_MS: timeout,
    LOG_LEVEL: 'info',
  };
  server = await startProcess({ env });
  shop = await Workspace.create(server.client);
});
afterAll(() => server?.stop());
/** Whatever was sent: nothing is stored, and the server keeps running. */
afterEach(async () => {
  const { items } = await shop.read();
  if (items.length > 0) throw new Error(`What was refused was stored: ${JSON.stringify(items)}`);
});

const key = (): string => `Host: x\r\nX-API-Key: ${server.apiKey}\r\n`;
const get = (path = '/tenants', rest = ''): string => `GET ${path} HTTP/1.1\r\n${key()}${rest}\r\n`;
const openPost = (): string => `POST ${shop.events()} HTTP/1.1\r\n${key()}Content-Type: application/json\r\n`;

function* dripped(beginning: string, byte: string): Generator<string> {
  yield beginning;
  for (let sent = 0; sent < 2 * IN_TIME_MS; sent++) yield byte;
}

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const begin = performance.now();
  return [await work, performance.now() - begin];
}

describe('an incomplete request', () => {
  it('ends with 408 in time; further bytes do not prolong it', async () => {
    const slow: [string, Iterable<string>][] = [
      ['a head that stops', ['GET /tenants HTTP/1.1\r\nHost: x\r\nX-Slow: ']],
      ['a head that arrives slowly', dripped('GET /tenants HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'x')],
      ['headers that arrive slowly', dripped('GET /tenants HTTP/1.1\r\nHost: x\r\n', 'X-Slow: x\r\n')],
      ['a body that stops', [`${openPost()}Content-Length: 50\r\n\r\n{"type":`]],
      ['a body that arrives slowly', dripped(`${openPost()}Content-Length: 100000\r\n\r\n{"type":"`, 'x')],
      ['chunks that arrive slowly', dripped(`${openPost()}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n')],
      ['a second request that arrives slowly', dripped(`${get()}GET /tenants HTTP/1.1\r\nX-Slow: `, 'x')],
    ];
    const ended = slow.map(async ([name, pieces]) => {
      const [{ text }, tookMs] = await timed(sendUntilClosed(server.url, pieces, 50));
      return [name, statusesOf(text).at(-1), tookMs < IN_TIME_MS];
    });
    expect(await Promise.all(ended)).toEqual(slow.map(([name]) => [name, 408, true]));
  });

  it('does not slow down others, in any number', async () => {
    const slow = Array.from({ length: DRIPPING }, (_, i) =>
      sendUntilClosed(
        server.url,
        dripped(i % 2 ? get().slice(0, -2) : `${openPost()}Content-Length: 9\r\n\r\n`, 'x'),
        100,
      ),
    );
    for (let i = 0; i < 20; i++) {
      const [{ status }, tookMs] = await timed(server.client.get('/tenants'));
      expect([status, tookMs < SOON_MS]).toEqual([200, true]);
    }
    const statuses = (await Promise.all(slow)).map(({ status }) => status);
    expect(statuses.filter((status) => ![408, 400, 0].includes(status))).toEqual([]);
  });

  it('leaves room with five thousand open idle sockets, and they are closed in time', async () => {
    const answers: string[] = [];
    const sockets: Socket[] = [];
    while (sockets.length < IDLE_SOCKETS) {
      const batch = Array.from({ length: 250 }, () => openSocket(server.url));
      sockets.push(...(await Promise.all(batch)));
    }
    for (const socket of sockets) socket.on('data', (chunk: Buffer) => answers.push(chunk.toString()));
    const closed = Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
    const [{ status }, tookMs] = await timed(server.client.get('/tenants'));
    expect([status, tookMs < SOON_MS]).toEqual([200, true]);
    const [, closedMs] = await timed(closed);
    expect([closedMs < IN_TIME_MS, answers]).toEqual([true, []]);
  });

  it('is not waited for after the previous one got its response', async () => {
    const [{ text }, tookMs] = await timed(sendUntilClosed(server.url, [get()]));
    expect(statusesOf(text)).toEqual([200]);
    expect(tookMs).toBeLessThan(IN_TIME_MS);
  });
});

describe('pipelined requests on one connection', () => {
  it('get responses in order, each with its own credentials', async () => {
    const anonymous = 'GET /tenants HTTP/1.1\r\nHost: x\r\n\r\n';
    const requests = [get(), anonymous, get('/nothing'), get('/health/live'), anonymous, get()];
    const { text } = await sendUntilClosed(server.url, [requests.join('')]);
    expect(statusesOf(text)).toEqual([200, 401, 404, 200, 401, 200]);
  });

  it('all get a response, also a thousand of them', async () => {
    const { text } = await sendUntilClosed(server.url, [get('/health/live').repeat(1_000)]);
    expect(statusesOf(text)).toEqual(Array.from({ length: 1_000 }, () => 200));
  });

  it('end at a broken one: nothing after it is processed', async () => {
    const event = '{"type":"t","data":1}';
    const publish = `${openPost()}Content-Length: ${event.length}\r\n\r\n${event}`;
    const { text } = await sendUntilClosed(server.url, [`${get()}GET /tenants HTTP/1.1\r\nX A: 1\r\n\r\n${publish}`]);
    expect(statusesOf(text).at(-1)).toBe(400);
  });

  it('do not interrupt a response: a stream ends, and nothing else is written into it', async () => {
    const stream = get(shop.events(), 'Accept: text/event-stream\r\n');
    const socket = await openSocket(server.url);
    let text = '';
    const begun = Promise.withResolvers<void>();
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) begun.resolve();
    });
    socket.write(stream);
    await begun.promise;
    socket.write('no HTTP at all\r\n\r\n');
    await once(socket, 'close');
    expect(statusesOf(text)).toEqual([200]);
  });
});

describe('requests that are hardly HTTP', () => {
  it('are refused for their form, however it is broken, with a logged problem', async () => {
    const found: object[] = [];
    const told: string[] = [];
    const forms = brokenRequests(shop.events(), server.apiKey);
    expect(forms.length).toBeGreaterThan(50);
    for (const [name, bytes, statuses] of forms) {
      const { status, text } = await sendRaw(server.url, bytes);
      const id = /^x-correlation-id: ([\x21-\x7e]+)\r$/im.exec(text)?.[1];
      const wellFormed = id !== undefined && /^content-type: application\/problem\+json/im.test(text);
      if (!statuses.includes(status) || text.includes(server.apiKey) || (status > 0 && !wellFormed))
        found.push({ name, status, text: text.slice(0, 300) });
      if (id !== undefined) told.push(id);
    }
    expect(found).toEqual([]);
    const logged = (output: string): boolean => told.every((id) => output.includes(`"correlationId":"${id}"`));
    await until(() => Promise.resolve(server.output()), logged);
  });
});
