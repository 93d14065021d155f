import { gzipSync } from 'node:zlib';
import { startApp, type TestApp } from '../support/server/app.js';
import type { Answer, Payload, Problem, RequestHeaders } from '../support/api/client.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { Workspace, type Page } from '../support/api/workspace.js';

let app: TestApp;
let shop: Workspace;

let before: string;

beforeAll(async () => {
  app = await startApp({ env: { HTTP_REQUEST_TIMEOUT_MS: '1000', HTTP_HEADERS_TIMEOUT_MS: '1000' } });
});
afterAll(() => app?.stop());
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  await shop.publish({ id: 'first', type: 't', data: 1 });
  before = await everything();
});
/** Whatever was sent: nothing has changed, and the server keeps running. */
afterEach(async () => {
  const after = await everything();
  if (after !== before) throw new Error(`What was refused left traces: ${before} became ${after}`);
});

async function everything(): Promise<string> {
  const lists = ['/tenants', `/tenants/${shop.tenant}/namespaces`, `${shop.base}/topics`, `${shop.base}/consumers`];
  const answers = await Promise.all(
    [...lists, shop.events()].map((path) => app.client.get<Page<{ id: string }>>(`${path}?limit=1000`)),
  );
  return answers.map(({ body }) => body.items.map(({ id }) => id).join()).join(' | ');
}

/** The status of a refusal, or what is wrong with its body. */
function refusal({ status, headers, text, body }: Answer<Problem>): number | string {
  const wellFormed =
    headers.get('content-type')?.includes('application/problem+json') === true &&
    body.status === status &&
    /^[a-z][a-z0-9-]+$/.test(body.code) &&
    body.correlationId === headers.get('x-correlation-id') &&
    [body.type, body.title, body.instance].every((member) => typeof member === 'string');
  return wellFormed ? status : `${status}: ${text.slice(0, 300)}`;
}

const event = (fields: string) => `{"type":"t","data":1,${fields}}`;

describe('bodies that are not an event', () => {
  it.each([
    ['an unknown field', event('"colour":"red"')],
    ['__proto__ among the fields', event('"__proto__":{"isAdmin":true}')],
    ['constructor among the fields', event('"constructor":{"prototype":{}}')],
    ['prototype among the fields', event('"prototype":{}')],
    ['a field twice', event('"type":"u"')],
    ['data twice', event('"data":2')],
    ['a type that is a number', '{"type":7,"data":1}'],
    ['an empty type', '{"type":"","data":1}'],
    ['a type that is far too long', `{"type":"${'t'.repeat(10_000)}","data":1}`],
    ['a type with a line break', '{"type":"a\\r\\nx-injected: 1","data":1}'],
    ['an id that is an object', event('"id":{}')],
    ['an empty id', event('"id":""')],
    ['an id that is far too long', event(`"id":"${'i'.repeat(10_000)}"`)],
    ['an id with a line break', event('"id":"a\\nb"')],
    ['an id with NUL', event('"id":"a\\u0000b"')],
    ['a key with NUL', event('"key":"a\\u0000b"')],
    ['a key with a lone surrogate', event('"key":"\\ud800"')],
    ['a stream that is an array', event('"stream":[]')],
    ['an invalid time', event('"time":"31/12/2026"')],
    ['a time that does not exist', event('"time":"2026-02-30T00:00:00Z"')],
    ['a fractional schema version', event('"schemaVersion":1.5')],
    ['a negative schema version', event('"schemaVersion":-1')],
    ['metadata that is a string', event('"metadata":"x"')],
    ['metadata that is far too large', event(`"metadata":{"x":"${'x'.repeat(1_000_000)}"}`)],
    ['a correlation id with a line break', event('"correlationId":"a\\r\\nb"')],
    ['a position of its own', event('"position":99')],
    ['a publisher of its own', event('"publishedBy":"somebody"')],
    ['a number', '7'],
    ['a string', '"event"'],
    ['null', 'null'],
    ['an array of arrays', '[[]]'],
    ['an array of null', '[null]'],
    ['nothing', ''],
    ['half of an event', '{"type":"t","data":'],
    ['two events', '{"type":"t","data":1}{"type":"t","data":1}'],
    ['an event and a comma', '{"type":"t","data":1},'],
    ['a comment', '{"type":"t",/* */"data":1}'],
    ['single quotes', "{'type':'t','data':1}"],
    ['a byte order mark twice', '\ufeff\ufeff{"type":"t","data":1}'],
  ])('%s is 400', async (_, body) => {
    const answer = await shop.tryPublish(body);
    expect([400, 413]).toContain(refusal(answer));
  });

  it.each([
    ['an overlong slash', [0xc0, 0xaf]],
    ['half of a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['0xff', [0xff]],
  ])('invalid UTF-8 is 400: %s', async (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"type":"t","data":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(refusal(await shop.tryPublish(new Uint8Array(body)))).toBe(400);
  });
});

describe('media types', () => {
  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'nonsense',
  ])('%s is 415', async (type) => {
    expect(refusal(await shop.tryPublish('{"type":"t","data":1}', { 'content-type': type }))).toBe(415);
    expect(refusal(await app.client.post('/tenants', '{"id":"x"}', { 'content-type': type }))).toBe(415);
  });

  it('a charset that is not UTF-8 is refused', async () => {
    expect(
      refusal(await shop.tryPublish('{"type":"t","data":1}', { 'content-type': 'application/json; charset=utf-16' })),
    ).toBe(415);
  });

  it.each(['gzip', 'br', 'deflate', 'identity, gzip'])('a compressed body is 415: %s', async (encoding) => {
    const body = new Uint8Array(gzipSync('{"type":"t","data":1}'));
    expect(refusal(await shop.tryPublish(body, { 'content-encoding': encoding }))).toBe(415);
  });

  it('an Accept that cannot be served is 406 or ignored, never 500', async () => {
    expect([200, 406]).toContain((await app.client.get(shop.events(), { accept: 'image/png' })).status);
  });
});

describe('bodies that are too large', () => {
  const large = (bytes: number): string => JSON.stringify({ type: 't', data: 'x'.repeat(bytes) });
  it.each([
    ['an event', () => shop.tryPublish(large(2 * 1_048_576))],
    ['a batch', () => shop.tryPublish(`[${Array.from({ length: 12 }, () => large(1_000_000)).join()}]`)],
    ['a tenant', () => app.client.post('/tenants', { name: 'x'.repeat(1_000_000) })],
    ['a login', () => app.client.post('/auth/login', { email: 'x'.repeat(1_000_000), password: 'x' })],
  ])('are 413: %s', async (_, send) => {
    expect(refusal(await send())).toBe(413);
  });

  it('are refused by their announced length, before they arrive', async () => {
    const head = `POST ${shop.events()} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.apiKey}\r\nContent-Type: application/json\r\n`;
    expect((await sendRaw(app.url, `${head}Content-Length: 99999999999\r\n\r\n`)).status).toBe(413);
  });

  it('are refused also without an announced length', async () => {
    const head = `POST ${shop.events()} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${app.apiKey}\r\nContent-Type: application/json\r\n`;
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    const answer = await sendRaw(
      app.url,
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 14 }, () => chunk),
    );
    expect([0, 400, 413]).toContain(answer.status);
  });
});

describe('addresses', () => {
  it('that do not exist are 404, with unknown methods 404 or 405', async () => {
    expect(refusal(await app.client.get('/nothing/here'))).toBe(404);
    expect([404, 405]).toContain(refusal(await app.client.request('PUT', `${shop.base}/topics/orders`, {})));
  });
});

describe('headers', () => {
  it('that are repeated or invalid do not break the response', async () => {
    const odd: RequestHeaders[] = [
      { traceparent: 'nonsense' },
      { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00` },
      { 'x-correlation-id': `${'x'.repeat(128)}<script>` },
      { 'x-forwarded-for': "127.0.0.1' OR 1=1" },
      { 'x-http-method-override': 'DELETE' },
      { range: 'bytes=0-1' },
      { 'if-match': '*' },
    ];
    for (const headers of odd)
      expect([headers, (await app.client.get('/tenants', headers)).status]).toEqual([headers, 200]);
  });

  it('of If-Match that are not an ETag are refused or do not match', async () => {
    for (const etag of ['nonsense', '"', '"-1"', '"99999999999999999999"', '"1" OR 1=1', `"${'1'.repeat(5_000)}"`]) {
      const answer = await app.client.patch(shop.base, { name: 'Mine' } satisfies Payload, { 'if-match': etag });
      expect([etag, [400, 412].includes(answer.status)]).toEqual([etag, true]);
    }
    expect((await app.client.get<{ name: string }>(shop.base)).body.name).toBe('Shop');
  });
});
