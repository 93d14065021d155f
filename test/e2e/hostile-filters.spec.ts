import { startProcess, type TestProcess } from '../support/server/app.js';
import type { Answer, Problem } from '../support/api/client.js';
import { routesOf, type ApiDocument } from '../support/api/openapi.js';
import { Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const CPU_MS_MAX = 100;

let server: TestProcess;
let shop: Workspace;

beforeAll(async () => {
  server = await startProcess();
  shop = await Workspace.create(server.client, ['orders', 'odd']);
});
afterAll(() => server?.stop());

const filtered = (filter: string, topic = 'orders'): Promise<Answer<Page<ReadEvent> & Problem>> =>
  server.client.get(`${shop.events(topic)}?filter=${encodeURIComponent(filter)}`);
const repeated = (part: string, count: number, between: string): string =>
  Array.from({ length: count }, () => part).join(between);

describe('a filter', () => {
  const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
  const payload = { s: `${'a'.repeat(30_000)}!`, l: ones(10_000), n: 1 };

  beforeAll(async () => {
    await shop.publish({ id: 'evil', type: 't', data: payload });
  });

  it.each<[string, string]>([
    ['more than 128 nodes', `${repeated('data.n', 60, '+')} == 60`],
    ['1,000 brackets', `${'('.repeat(1_000)}true${')'.repeat(1_000)}`],
    ['1,000 brackets that do not close', '('.repeat(1_000)],
    ['1,000 lists', `${'['.repeat(1_000)}1${']'.repeat(1_000)} == 1`],
    ['a chain of 300 conditions', `${repeated('true ? true', 300, ' : ')} : true`],
    ['a chain of 500 members', `data${'.a'.repeat(500)} == 1`],
    ['nested macros', 'data.l.all(x, data.l.all(y, data.l.all(z, x == y && y == z)))'],
    ['a macro in a macro in a macro', 'data.l.map(x, data.l.map(y, data.l.map(z, z))).size() > 0'],
    ['a pattern of its own data', 'data.s.matches(data.s)'],
    ['a pattern that repeats without end', 'data.s.matches("(a{1000}){1000}")'],
    ['a pattern with a look-ahead', 'data.s.matches("(?=a+)a+$")'],
    ['a pattern with a back reference', 'data.s.matches("(a+)\\\\1$")'],
    ['an invalid pattern', 'data.s.matches("(a")'],
    ['JSONata', '$pad("x", 1000000000)'],
    ['JSONata in braces', '($f := function($x){$f($x)}; $f(1))'],
    ['JavaScript', '(() => { while (true); })()'],
    ['a template', '${7*7} == 49'],
    ['SQL', '1=1; DROP TABLE event; --'],
    ['half of a string', "' OR '1'='1"],
    ['a comment without an end', 'true /* '],
    ['an int beyond 64 bits', 'data.n == 99999999999999999999'],
    ['an unknown function', 'sleep(1000)'],
    ['a lone bracket', ')'],
    ['a value that is not a bool', '"text"'],
  ])('of %s is refused with the position of the error, within a few milliseconds', async (_, filter) => {
    const before = await server.cpuMs();
    const { status, body } = await filtered(filter);
    expect([status, body.code]).toEqual([400, filter.length > 2_048 ? 'invalid-request' : 'filter-invalid']);
    expect(body.errors![0]!.pointer).toBe('?filter');
    expect((await server.cpuMs()) - before).toBeLessThan(CPU_MS_MAX);
  });

  it.each<[string, string, 'yes' | 'no' | 'too costly']>([
    ['(a+)+$', 'data.s.matches("(a+)+$")', 'no'],
    ['(a|aa)+$', 'data.s.matches("(a|aa)+$")', 'no'],
    ['(a|a?)+$', 'data.s.matches("(a|a?)+$")', 'no'],
    ['(.*)*x', 'data.s.matches("(.*)*x")', 'no'],
    [
      'a string that grows with each iteration',
      'data.l.exists(x, (data.s + data.s + data.s).contains("b"))',
      'too costly',
    ],
    ['a macro over another one', 'data.l.all(x, x in data.l) && data.l.all(x, !(2 in data.l))', 'too costly'],
    ['1,000 negations', `${'!'.repeat(1_000)}true`, 'yes'],
    ['1,000 minus signs', `${'-'.repeat(1_000)}1 == 1`, 'yes'],
    ['a list of itself, for each of its members', 'data.l.all(x, data.l == data.l)', 'yes'],
    ['a list that doubles', 'size(data.l + data.l + data.l + data.l) == 40000', 'yes'],
    ['a time zone for each member', 'data.l.exists(x, time.getHours("Europe/None") > 0)', 'too costly'],
    ['a division by zero', '1 / 0 == 1', 'no'],
    ['an overflow', '9223372036854775807 + data.l.size() > 0', 'no'],
  ])('of %s is evaluated or given up within bounds', async (_, filter, expected) => {
    const { status, body } = await filtered(filter);
    const found = status === 200 ? (body.items.length > 0 ? 'yes' : 'no') : body.code;
    const given = [422, 'filter-too-costly'];
    // The cost of a pattern is estimated: it may be given up before the search ends.
    const right = expected === 'too costly' ? given : expected === 'no' ? ['no', ...given] : [expected];
    expect(right).toContain(found);
    const before = await server.cpuMs();
    for (let n = 0; n < 3; n++) await filtered(filter);
    expect((await server.cpuMs()) - before).toBeLessThan(3 * 2 * CPU_MS_MAX);
  });

  it('of 10,000 nodes does not fit into the head of a request', async () => {
    expect((await filtered(repeated('1', 5_000, '+'))).status).toBe(431);
  });

  it('does not block other requests while forty of the most expensive run', async () => {
    let unanswered = 40;
    const costly = Array.from({ length: unanswered }, () =>
      filtered('data.l.all(x, x in data.l) && data.l.all(x, !(2 in data.l))').finally(() => unanswered--),
    );
    for (const path of ['/health/ready', '/tenants', shop.events('odd')])
      expect([path, (await server.client.get(path)).status, unanswered > 0]).toEqual([path, 200, true]);
    expect(new Set((await Promise.all(costly)).map(({ status }) => status))).toEqual(new Set([422]));
  });
});

describe('a text with a meaning in SQL or patterns', () => {
  const KEYS = [
    '%',
    '_',
    'a%',
    'a_c',
    'abc',
    "'",
    '"',
    '\\',
    "x' OR '1'='1",
    "'; DROP TABLE event; --",
    '$1',
    '*',
    '(a+)+$',
    '[a-z]',
  ];

  beforeAll(async () => {
    await shop.publish(
      KEYS.map((key, i) => ({ id: `k${i}`, type: 'a%b_c', key, stream: key, data: { key } })),
      'odd',
    );
  });

  it.each(KEYS)('is literal in keys, streams and filters: %j', async (key) => {
    for (const parameter of ['key', 'stream']) {
      const { items } = await shop.read(`?${parameter}=${encodeURIComponent(key)}`, 'odd');
      expect(items.map((event) => event[parameter as 'key'])).toEqual([key]);
    }
    const { body } = await filtered(
      `data.key == ${JSON.stringify(key)} && key.contains(${JSON.stringify(key)})`,
      'odd',
    );
    expect(body.items.map((event) => event.key)).toEqual([key]);
    const path = `${shop.base}/topics/odd/streams/${encodeURIComponent(key)}`;
    expect((await server.client.get<Page<ReadEvent>>(path)).body.items.map((event) => event.key)).toEqual([key]);
  });

  it('is literal in types, except a star at the end', async () => {
    const count = async (type: string): Promise<number> =>
      (await shop.read(`?type=${encodeURIComponent(type)}`, 'odd')).items.length;
    for (const type of ['%', '_%', 'a_b_c', 'a%', '%c', '_____', 'a\\%b_c', "'", 'A%B_C', '[a]%', '.*', 'a%b_c '])
      expect([type, await count(type).catch(() => 0)]).toEqual([type, 0]);
    for (const type of ['a%b_c', 'a%*', 'a%b_*', '*']) expect([type, await count(type)]).toEqual([type, KEYS.length]);
  });

  it('is literal in searches of the audit', async () => {
    const found = async (query: string): Promise<unknown> => {
      const { status, body } = await server.client.get<Page<object>>(`/audit?${query}`);
      return status === 200 ? body.items.length : status;
    };
    expect(await found('resource=tenants')).toBeGreaterThan(0);
    for (const name of ['resource', 'actor', 'user', 'address', 'correlationId'])
      for (const text of ['%', '_', 'tenants%', 'tenant_', "' OR 1=1--", '\\', '*', '.*'])
        expect([name, text, await found(`${name}=${encodeURIComponent(text)}`)]).toEqual([name, text, 0]);
    for (const action of ['%', 'topic%', 't_pic.*', '**', "'"])
      expect([action, await found(`action=${encodeURIComponent(action)}`)]).toEqual([action, 400]);
  });

  it('is never a 500 in any parameter of any route', async () => {
    const { body: document } = await server.client.get<ApiDocument>('/openapi.json');
    const texts = [
      '%25',
      '%27%20OR%201%3D1--',
      '%27%3BDROP%20TABLE%20event%3B--',
      '%5C',
      '%FF',
      '%ED%A0%80',
      '%7B%7D',
      '(',
      '*',
      '%5B%5D',
      '%C0%80',
    ];
    const asked = routesOf(document).flatMap(({ method, path, operation }) =>
      (method === 'GET' ? (operation.parameters ?? []) : [])
        .filter((parameter) => parameter.in === 'query')
        .flatMap(({ name }) => texts.map((text) => [path, `${name}=${text}`] as const)),
    );
    const rest = asked.values();
    const wrong: string[] = [];
    const work = async (): Promise<void> => {
      for (const [path, query] of rest) {
        const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => PLACES[name]?.() ?? 'x');
        const { status } = await server.client.get(`${filled}?${query}`);
        if (status >= 500) wrong.push(`${path}?${query}: ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect(asked.length).toBeGreaterThan(300);
    expect(wrong).toEqual([]);
    expect((await shop.readAll('odd')).length).toBe(KEYS.length);
  });
  const PLACES: Readonly<Record<string, () => string>> = {
    tenantId: () => shop.tenant,
    namespaceId: () => 'shop',
    topicId: () => 'odd',
  };
});

it.todo(
  'filters and transforms of consumers are bounded, and their errors refused at the registration (with DELIVERY)',
);
it.todo('conditions, searches and groups of POST /query are bounded (with queries)');
it.todo('filters of replays and exports are bounded (with replays and export jobs)');
