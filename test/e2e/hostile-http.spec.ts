import { startApp, type TestApp } from '../support/app.js';
import { sendRaw } from '../support/raw-http.js';
import { Workspace } from '../support/workspace.js';

let app: TestApp;
let shop: Workspace;

beforeAll(async () => {
  app = await startApp({ env: { HTTP_REQUEST_TIMEOUT_MS: '1000', HTTP_HEADERS_TIMEOUT_MS: '1000' } });
  shop = await Workspace.create(app.client);
});
afterAll(() => app?.stop());
afterEach(async () => {
  const { items } = await shop.read();
  if (items.length > 0) throw new Error(`What was refused was stored: ${JSON.stringify(items)}`);
});

describe('requests that are no HTTP, or hardly', () => {
  const head = (path = '/tenants') => `GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.apiKey}\r\n`;

  it('a body that does not come ends with 408 or with the connection, in time', async () => {
    const request = `POST ${shop.events()} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.apiKey}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"type":`;
    expect([0, 408]).toContain((await sendRaw(app.url, request)).status);
  });

  it('a head that does not come ends, too', async () => {
    expect([0, 408]).toContain((await sendRaw(app.url, 'GET /tenants HTTP/1.1\r\nHost: x\r\nX-Slow: ')).status);
  });

  it.each([
    ['headers of 10 MB', () => `${head()}X-Long: ${'x'.repeat(10_000_000)}\r\n\r\n`, [0, 431]],
    ['a hundred thousand headers', () => `${head()}${'X-Many: 1\r\n'.repeat(100_000)}\r\n`, [0, 431]],
    ['an address of 1 MB', () => `GET /${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [0, 414, 431]],
    ['two lengths', () => `${head()}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, [0, 400]],
    [
      'a length and chunks',
      () => `${head()}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      [0, 400],
    ],
    ['a negative length', () => `${head()}Content-Length: -1\r\n\r\n`, [0, 400]],
    ['no host', () => 'GET /tenants HTTP/1.1\r\n\r\n', [0, 400]],
    ['a line folded', () => `${head()}X-A: 1\r\n 2\r\n\r\n`, [0, 400]],
    ['NUL in a header', () => `${head()}X-A: a\u0000b\r\n\r\n`, [0, 400]],
    ['NUL in the path', () => head('/tenants/a\u0000b') + '\r\n', [0, 400]],
    ['NUL escaped in the path', () => head('/tenants/a%00b') + '\r\n', [400, 404]],
    ['a broken escape in the path', () => head('/tenants/%zz') + '\r\n', [400, 404]],
    ['half of a character in the path', () => head('/tenants/%e2%82') + '\r\n', [400, 404]],
    ['TLS', () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', [0, 400]],
    ['TRACE', () => head().replace('GET', 'TRACE') + '\r\n', [404, 405, 501]],
    ['CONNECT', () => 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n', [0, 404, 405]],
    ['a method of its own', () => head().replace('GET', 'FETCH') + '\r\n', [0, 400]],
  ])('%s', async (_, request, statuses) => {
    expect(statuses).toContain((await sendRaw(app.url, request())).status);
  });

  it('TRACE does not send credentials back', async () => {
    expect((await sendRaw(app.url, `${head().replace('GET', 'TRACE')}\r\n`)).text).not.toContain(app.apiKey);
  });

  it('HEAD answers as GET does, without a body', async () => {
    const answer = await app.client.request('HEAD', '/health/live');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});
