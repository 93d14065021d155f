import { gzipSync } from 'node:zlib';
import { startProcess, type TestProcess } from '../support/server/app.js';
import type { Answer, Payload, Problem, RequestHeaders } from '../support/api/client.js';
import { Workspace } from '../support/api/workspace.js';

let server: TestProcess;
let shop: Workspace;

beforeAll(async () => {
  server = await startProcess();
  shop = await Workspace.create(server.client);
});
afterAll(() => server?.stop());
afterEach(async () => {
  const { items } = await shop.read();
  if (items.length > 0) throw new Error(`What was refused was stored: ${JSON.stringify(items).slice(0, 300)}`);
});

/** Three ways into the parsers: the raw body of a publish, a strict body with credentials, and one without. */
const DOORS = ['a publish', 'a management call', 'a login'] as const;
const send = (door: (typeof DOORS)[number], body: Payload, headers: RequestHeaders = {}): Promise<Answer<Problem>> => {
  if (door === 'a publish') return shop.tryPublish(body, headers);
  if (door === 'a login') return server.client.with({}).post('/auth/login', body, headers);
  return server.client.post(`${shop.base}/consumers`, body, headers);
};

const fieldOf = { 'a publish': 'metadata', 'a management call': 'headers', 'a login': 'password' } as const;
const REST = {
  'a publish': '"type":"t","data":1',
  'a management call': '"url":"http://127.0.0.1:65000/","topics":[{"topic":"orders"}]',
  'a login': '"email":"somebody@example.test"',
} as const;

/** The server closes a connection with far too much data; the response may get lost then. */
const isCut = (error: unknown): boolean => /EPIPE|ECONNRESET|other side closed/.test(String((error as Error).cause));

/** A body that is valid except for the value of one field. */
const holding = (door: (typeof DOORS)[number], value: string): string => `{${REST[door]},"${fieldOf[door]}":${value}}`;
const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const keys = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"${i.toString(36)}":0`).join()}}`;
const list = (count: number, element: string): string => `[${Array.from({ length: count }, () => element).join()}]`;
const utf16 = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'utf16le'));
const REFUSED = [400, 413, 415];

describe.each(DOORS)('%s', (door) => {
  const bodies: [string, () => Payload, RequestHeaders?][] = [
    ['10,000 levels', () => holding(door, nested(10_000))],
    ['500,000 levels', () => holding(door, nested(500_000))],
    ['500,000 levels that do not close', () => holding(door, '['.repeat(500_000))],
    ['20,000 members', () => holding(door, keys(20_000))],
    ['20,000 fields of its own', () => keys(20_000)],
    ['a million members', () => holding(door, keys(1_000_000))],
    ['a million fields of its own', () => keys(1_000_000)],
    ['a list of 85,000 empty objects', () => holding(door, list(85_000, '{}'))],
    ['a list of 100,000', () => holding(door, list(100_000, '0'))],
    ['a list of 100,000 as the body', () => list(100_000, '0')],
    ['a list of as many bodies', () => list(100_000, holding(door, '{}'))],
    ['a field twice', () => holding(door, `{},"${fieldOf[door]}":{}`)],
    ['a byte order mark', () => `\ufeff${holding(door, '{}')}`],
    ['UTF-16', () => utf16(holding(door, '{}'))],
    ['UTF-16 with a byte order mark', () => utf16(`\ufeff${holding(door, '{}')}`)],
    ['announced UTF-16', () => utf16(holding(door, '{}')), { 'content-type': 'application/json; charset=utf-16' }],
    ['a gzip bomb', () => new Uint8Array(gzipSync(Buffer.alloc(50_000_000, '['))), { 'content-encoding': 'gzip' }],
    ['an unannounced gzip bomb', () => new Uint8Array(gzipSync(Buffer.alloc(50_000_000, '[')))],
    ['a text', () => holding(door, '{}'), { 'content-type': 'text/plain' }],
    ['a form', () => 'email=x&password=x', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['nothing', () => ''],
    ['white space', () => ' \n\t '],
    ['NaN', () => holding(door, 'NaN')],
  ];
  it.each(bodies.map(([what, body, headers = {}]) => [what, body, headers] as const))(
    'of %s is refused',
    async (_, body, headers) => {
      const answer = await send(door, body(), headers).catch((error: unknown) => isCut(error) || Promise.reject(error));
      if (answer === true) return;
      const { status, headers: answered, text } = answer as Answer<Problem>;
      expect([REFUSED.includes(status) || `${status}: ${text.slice(0, 300)}`]).toEqual([true]);
      expect(answered.get('content-type')).toContain('application/problem+json');
      // A refusal is not longer than the refused text.
      expect(text.length).toBeLessThan(10_000);
    },
  );
});

it('levels and members within the bounds of data are accepted', async () => {
  const deep = await Workspace.create(server.client);
  await deep.publish(`{"type":"t","data":${list(65, '{}').replaceAll('{}', nested(65))}}`);
  await deep.publish(`{"type":"t","data":${keys(20_000)}}`);
  expect((await deep.readAll()).map(({ position }) => position)).toEqual([1, 2]);
});

describe('the CPU time of bombs', () => {
  const CPU_MS_MAX = 100;
  const bombs: [string, () => Promise<Answer<Problem>>][] = [
    ...DOORS.flatMap((door) =>
      (
        [
          ['members', keys(20_000)],
          ['objects', list(85_000, '{}')],
          ['levels', nested(20_000)],
        ] as const
      ).map(([what, value]): [string, () => Promise<Answer<Problem>>] => [
        `${what} in ${door}`,
        () => send(door, holding(door, value)),
      ]),
    ),
    ['a thousand events with 100 unknown fields', () => send('a publish', list(1_000, keys(100)))],
    [
      'a query of 5,000 parameters',
      () => server.client.get(`/tenants?${Array.from({ length: 2_500 }, (_, i) => `${i}`).join('&')}`),
    ],
  ];

  it.each(bombs)(`is less than ${CPU_MS_MAX} ms of the process: %s`, async (_, bomb) => {
    const ROUNDS = 5;
    for (let n = 0; n < 3; n++) expect(REFUSED).toContain((await bomb()).status);
    const before = await server.cpuMs();
    for (let n = 0; n < ROUNDS; n++) await bomb();
    expect((await server.cpuMs()) - before).toBeLessThan(ROUNDS * CPU_MS_MAX);
  });
});
