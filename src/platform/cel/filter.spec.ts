import * as fc from 'fast-check';
import { DomainError } from '../../kernel/domain-error.js';
import { compileFilter, type FilterInput } from './index.js';

const event = (data: unknown, given: Partial<FilterInput> = {}): FilterInput => ({
  id: 'evt_1',
  type: 'order.created',
  key: null,
  stream: 's-1',
  data: typeof data === 'string' ? data : JSON.stringify(data),
  metadata: '{"region":"eu"}',
  occurredAt: null,
  recordedAt: Date.parse('2026-03-29T10:30:00.500Z'),
  position: 7,
  topic: 'orders',
  ...given,
});

const matches = (source: string, data: unknown = {}, given?: Partial<FilterInput>): boolean =>
  compileFilter(source).matches(event(data, given));

/** A number as CEL writes it: an int where it is whole. */
const literal = (n: number) => (Number.isInteger(n) ? BigInt(n).toString() : n.toString());

function errorOf(source: string): string {
  try {
    compileFilter(source, '/filter/expression');
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'filter-invalid' || error.kind !== 'invalid') throw error;
    const [place] = error.extensions.errors!;
    return `${place!.pointer} ${place!.detail}`;
  }
  return 'accepted';
}

describe('a filter evaluates', () => {
  const data = {
    total: 150.5,
    count: 5,
    nothing: null,
    name: 'Ada 😀',
    tags: ['a', 'b'],
    items: [
      { sku: 'a', qty: 1 },
      { sku: 'b', qty: 2 },
    ],
    customer: { tier: 'gold' },
  };

  it.each([
    'type == "order.created" && data.total > 100 && data.customer.tier == "gold"',
    'key == null && stream == "s-1" && position == 7 && id == "evt_1" && topic == "orders"',
    'metadata.region == "eu" && !has(metadata.zone)',
    'time > timestamp("2026-01-01T00:00:00Z") && time - duration("1h") < time',
    'time.getHours() == 10 && time.getHours("Europe/Berlin") == 12 && time.getHours("-05:00") == 5',
    'time.getDayOfYear() == 87 && time.getDayOfWeek() == 0 && time.getMilliseconds() == 500',
    'time == timestamp(1774780200) + duration("500ms")',
    '"a" in data.tags && !("c" in data.tags) && "nothing" in data && data["count"] == 5',
    'data.items.exists(i, i.sku == "b") && data.items.all(i, i.qty > 0) && data.items.exists_one(i, i.qty == 1)',
    'data.items.filter(i, i.qty > 1).map(i, i.sku) == ["b"] && data.items.map(i, i.qty > 1, i.sku) == ["b"]',
    'data.name.size() == 5 && data.name.startsWith("Ada") && data.name.endsWith("😀") && data.name.contains("a ")',
    'data.name.matches("^A[a-z]+ .$")',
    'has(data.nothing) && data.nothing == null && !has(data.other)',
    'int("12") == 12 && double("1.5") == 1.5 && uint("3") == 3u && string(data.count) == "5"',
    'type(data.name) == string && type(data.count) == double',
    'data == data && data.items == data.items && data.items != data.tags',
  ])('%s: yes', (source) => expect(matches(source, data)).toBe(true));

  it('prefers the time the event occurred over the time it was recorded', () => {
    expect(matches('time == timestamp("2020-02-29T00:00:00Z")', {}, { occurredAt: Date.UTC(2020, 1, 29) })).toBe(true);
  });

  it('may have as many characters as code points', () => {
    expect(compileFilter(`type == "${'😀'.repeat(2_000)}"`).needsData).toBe(false);
    expect(() => compileFilter(`type == "${'😀'.repeat(2_048)}"`)).toThrow(/longer than 2048 characters/);
  });

  it('reads data only when the expression asks for it', () => {
    expect(compileFilter('type == "a"').needsData).toBe(false);
    expect(compileFilter('data.items.exists(data, data == 1)').needsData).toBe(true);
    expect(compileFilter('[1].exists(data, data == 1)').needsData).toBe(false);
    expect(matches('type == "other" && data.a == 1', '{broken')).toBe(false);
    expect(() => matches('data.a == 1', '{broken')).toThrow(SyntaxError);
  });
});

describe('an expression that fails on an event does not match it', () => {
  it.each([
    'data.a.b == 1',
    '!(data.a.b == 1)',
    'data.text > 5',
    'data.list[9] == 1',
    'data.text',
    '1 / 0 == 1',
    'data.list % 2 == 0',
    'topic == "t"',
  ])('%s', (source) => expect(matches(source, { text: 'x', list: [1] }, { topic: undefined })).toBe(false));

  it('unless another operand decides', () =>
    expect(matches('data.a.b == 1 || data.text == "x"', { text: 'x' })).toBe(true));
});

describe('numbers', () => {
  it('compare by value whatever their type, and mix in arithmetic', () => {
    const source =
      'data.n == 5 && data.n > 4 && data.n <= 5u && data.n in [5] && data.n * 2 == 10 && data.n % 2 == 1 && 7 - data.n == 2.0';
    expect(matches(source, { n: 5 })).toBe(true);
    expect(matches(source, '{"n":5.0}')).toBe(true);
  });

  it('keep the digits of integers beyond 2^53', () => {
    const data = '{"big":9007199254740993,"huge":18446744073709551615,"low":-9223372036854775808,"beyond":1e400}';
    expect(
      matches('data.big == 9007199254740993 && data.big != 9007199254740992 && data.big + 1 == 9007199254740994', data),
    ).toBe(true);
    expect(
      matches('data.huge == 18446744073709551615u && data.low == -9223372036854775808 && data.beyond > 1e308', data),
    ).toBe(true);
  });

  it('agree with JavaScript on every comparison', () => {
    const operators: Record<string, (l: number, r: number) => boolean> = {
      '<': (l, r) => l < r,
      '<=': (l, r) => l <= r,
      '>': (l, r) => l > r,
      '>=': (l, r) => l >= r,
      '==': (l, r) => l === r,
      '!=': (l, r) => l !== r,
    };
    const number = fc.oneof(
      fc.integer({ min: -9, max: 9 }),
      fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
      fc.maxSafeInteger(),
    );
    const clause = fc.record({
      l: number,
      r: number,
      operator: fc.constantFrom(...Object.keys(operators)),
      joint: fc.constantFrom('&&', '||'),
    });
    fc.assert(
      fc.property(fc.array(clause, { minLength: 1, maxLength: 3 }), (clauses) => {
        const source = clauses
          .map(({ operator, r, joint }, i) => `${i ? ` ${joint} ` : ''}(data.n${i} ${operator} ${literal(r)})`)
          .join('');
        const values = Object.fromEntries(clauses.map(({ l }, i) => [`n${i}`, l]));
        const holds = clauses.map(({ l, r, operator }) => operators[operator]!(Object.is(l, -0) ? 0 : l, r));
        // && binds tighter than ||.
        const groups: boolean[] = [];
        for (const [i, { joint }] of clauses.entries()) {
          if (i > 0 && joint === '&&') groups.push(groups.pop()! && holds[i]!);
          else groups.push(holds[i]!);
        }
        expect([source, values, matches(source, values)]).toEqual([source, values, groups.includes(true)]);
      }),
    );
  });
});

describe('an invalid filter', () => {
  it.each([
    ['type == "a" &&\n  data.x = 5', 'line 2, column 10: found = but expecting end of input'],
    ['data.a == 1 && foo', 'line 1, column 16: there is no variable "foo"'],
    ['constructor == 1', 'line 1, column 1: there is no variable "constructor"'],
    ['data.foo(1)', 'line 1, column 5: there is no function "foo"'],
    ['type > 5', 'line 1, column 5: > does not apply to string and int'],
    ['type == 5', 'line 1, column 5: string never equals int'],
    ['type + "x"', 'gives string'],
    ['data.l.map(x, x)', 'gives list'],
    ['data && 5', 'this must be bool, and is int'],
    ['data.l.all(x, x.m.all(y, y))', 'line 1, column 18: a macro may not stand within the body of another'],
    ['data.l.all(x)', 'the macro "all" is not called like this'],
    ['has(data)', 'the macro "has" is not called like this'],
    ['data.s.matches(data.p)', 'must be a text, not computed'],
    ['data.s.matches("(")', 'missing closing )'],
    ['data.s.matches("(a{100}){3,101}")', 'the pattern repeats more than 200 times'],
    [`data.s.matches("${'a'.repeat(257)}")`, 'the pattern is longer than 256 characters'],
    ['google.protobuf.Timestamp{} == time', 'there is no type "google.protobuf.Timestamp"'],
    ['data.x == 9223372036854775808', 'an int has 64 bits'],
    ['', 'line 1, column 1: found end of input'],
    ['('.repeat(10_000), 'longer than 2048 characters'],
    ['('.repeat(2000), 'line 1, column 25: more than 24 brackets within each other'],
    [`${'"("+'.repeat(30)}""`, 'nested more than 24 levels deep'],
    [`data.x in [${'1,'.repeat(500)}1]`, 'more than 128 parts'],
    [`${'data.a?1:'.repeat(200)}2`, 'nested more than 24 levels deep'],
    [`${'data.a.b || '.repeat(100)}true`, 'more than 128 parts'],
  ])('%j', (source, detail) => {
    expect(errorOf(source)).toContain(detail);
    expect(errorOf(source)).toMatch(/^\/filter\/expression line \d+, column \d+: /);
  });
});

describe('only own members of an event count', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'size', 'get'])(
    '%s is missing when the event has none',
    (name) => {
      expect(matches(`has(data.${name})`)).toBe(false);
      expect(matches(`data.${name} == data.${name}`)).toBe(false);
      expect(matches(`data["${name}"] != null`)).toBe(false);
      expect(matches(`"${name}" in data`)).toBe(false);
    },
  );

  it.each(['__proto__', 'constructor', 'toString', 'value', 'size'])(
    '%s is a member like others when it has one',
    (name) => {
      const data = `{"a":[{"${name}":{"${name}":null,"x":1}}]}`;
      expect(
        matches(`data.a[0].${name}.x == 1 && has(data.a[0].${name}.${name}) && data.a.all(m, m.${name}.x == 1)`, data),
      ).toBe(true);
    },
  );

  it('do not reach the prototype', () => {
    matches('data.__proto__.polluted == 1', '{"__proto__":{"polluted":1}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
