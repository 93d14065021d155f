import * as fc from 'fast-check';
import { DomainError } from '../../kernel/domain-error.js';
import { type RawBody, scanBody } from './raw-json.js';

const limits = { depthMax: 128, itemsMax: 1000 };
const scan = (text: string | Buffer, given = limits): RawBody =>
  scanBody(typeof text === 'string' ? Buffer.from(text) : text, given);

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

function accepts(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const nested = (depth: number) => `{"type":"a","data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const envelopeOf = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',')}}`;

const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
const number = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?$/),
  fc.constantFrom('123456789012345678', '1.0', '-0', '1e400', '0.1E-2'),
);
const character = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }).map((s) => JSON.stringify(s.toWellFormed()).slice(1, -1)),
  fc.stringMatching(/^\\u[0-9a-fA-F]{4}$/),
  fc.constantFrom('\\/', '\\b', '\\"', '\\\\', '\\u0000', '\\ud800', 'é', '€', '😀', '__proto__', '{', ']', ',', ':'),
);
const string = fc.array(character, { maxLength: 6 }).map((parts) => `"${parts.join('')}"`);

/** JSON in every spelling, whether it makes sense or not: duplicate keys, odd numbers, space anywhere. */
const { value: jsonText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.constantFrom('true', 'false', 'null'),
    number,
    string,
    fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map((parts) => `[${parts.map((p) => p.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, string, space, space, tie('value'), space), { maxLength: 4 })
      .map((parts) => `{${parts.map(([a, key, b, c, value, d]) => `${a}${key}${b}:${c}${value}${d}`).join(',')}}`),
  ),
}));

describe('a body is accepted exactly when JSON.parse accepts it', () => {
  it('whatever its spelling', () => {
    fc.assert(
      fc.property(space, jsonText, space, (before, text, after) => {
        expect(codeOf(() => scan(before + text + after))).toBeUndefined();
      }),
    );
  });

  it('also when it is broken in one or two places', () => {
    const bit = fc.oneof(
      fc.constantFrom(
        '',
        '"',
        '\\',
        ',',
        ':',
        '{',
        '}',
        '[',
        ']',
        '0',
        '-',
        '.',
        'e',
        '+',
        ' ',
        '\u0000',
        '\u001f',
        '\u00a0',
      ),
      fc.constantFrom('tru', '\\u12', '\\x', 'é', '\u2028', 'NaN', '//', "'", '\uFEFF', 'Infinity', '01', '\n', '\v'),
    );
    const edit = fc.record({ at: fc.nat(), cut: fc.nat({ max: 2 }), bit });
    let broken = 0;
    fc.assert(
      fc.property(jsonText, fc.array(edit, { minLength: 1, maxLength: 2 }), (text, edits) => {
        for (const { at, cut, bit: inserted } of edits) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + inserted + text.slice(place + cut);
        }
        text = text.toWellFormed();
        const accepted = accepts(text);
        if (!accepted) broken++;
        expect([text, codeOf(() => scan(text))]).toEqual([text, accepted ? undefined : 'body-not-json']);
      }),
      { numRuns: 3000 },
    );
    expect(broken).toBeGreaterThan(500);
  });

  it.each([
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '1e+',
    '-',
    '"\\u00g0"',
    '"\t"',
    '"',
    '{"a"}',
    '{"a":1,}',
    '[1,]',
    '[,1]',
    'nul',
    '[1]]',
  ])('refuses %j', (text) => expect(codeOf(() => scan(text))).toBe('body-not-json'));
});

describe('the pieces are the text that was sent', () => {
  it('keeps every byte of every member, and its position', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(string, space, jsonText, space), { maxLength: 24 }), space, (members, gap) => {
        const text = `{${members.map(([key, a, value, b]) => `${gap}${key}${a}:${b}${value}${gap}`).join(',')}}`;
        const body = scan(`${gap}${text}${gap}`);
        const [item] = body.items;
        expect(body.kind).toBe('object');
        expect(body.text(item!)).toBe(text);
        expect(item!.end - item!.start).toBe(Buffer.byteLength(text));
        expect(item!.members!.map((m) => [m.key, body.text(m)])).toEqual(members.map(([k, , v]) => [JSON.parse(k), v]));
        expect(item!.members!.map((m) => body.value(m))).toEqual(members.map(([, , v]) => JSON.parse(v)));
        const keys = members.map(([k]) => JSON.parse(k) as string);
        expect(item!.duplicateKey).toBe(keys.find((key, i) => keys.indexOf(key) < i) ?? null);
      }),
    );
  });

  it('cuts a batch into its items', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(space, jsonText, space), { maxLength: 6 }), (items) => {
        const body = scan(`[${items.map((parts) => parts.join('')).join(',')}]`);
        expect([body.kind, body.overflow]).toEqual(['array', false]);
        expect(body.items.map((item) => body.text(item))).toEqual(items.map(([, text]) => text));
        expect(body.items.map((item) => item.members === null)).toEqual(items.map(([, text]) => !text.startsWith('{')));
      }),
    );
  });

  it.each([
    '123456789012345678',
    '1.0',
    '1e400',
    '-0',
    '"\\u0000"',
    '"\\ud800"',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '{ "b" : 1,\n"a":2 }',
    '"Ünïcode €"',
  ])('returns data %s unchanged', (data) => {
    const body = scan(`{"type":"a","data": ${data} }`);
    const [, member] = body.items[0]!.members!;
    expect([member!.key, body.text(member!), body.items[0]!.duplicateKey]).toEqual(['data', data, null]);
  });

  it('detects a duplicate key even if one is spelt with an escape', () => {
    expect(scan('{"type":"a","data":1,"\\u0074ype":"b"}').items[0]!.duplicateKey).toBe('type');
  });
});

describe('limits', () => {
  it('accepts data of 128 levels and refuses 129, naming the member', () => {
    expect(codeOf(() => scan(nested(128)))).toBeUndefined();
    expect(() => scan(`[{},${nested(129)}]`)).toThrow(/The value at \/1\/data is nested deeper than 128 levels/);
  });

  it('reads no more items than allowed, and reports that there were more', () => {
    const body = scan('[1,2,3]', { depthMax: 1, itemsMax: 2 });
    expect([body.items.length, body.overflow]).toEqual([2, true]);
    expect(scan('[1,2]', { depthMax: 1, itemsMax: 2 }).overflow).toBe(false);
  });

  it('refuses an envelope of more than 256 keys, and bytes that are not UTF-8', () => {
    expect(codeOf(() => scan(envelopeOf(256)))).toBeUndefined();
    expect(codeOf(() => scan(envelopeOf(257)))).toBe('body-too-many-keys');
    expect(codeOf(() => scan(Buffer.from([0x22, 0xff, 0x22])))).toBe('body-not-utf8');
    expect(() => scan('\uFEFF{}')).toThrow(/byte order mark/);
  });

  it.each(['[', '{"a":', '[{"a":[', '"'])('10 MiB of %s are refused in one pass', (bit) => {
    const bomb = Buffer.alloc(10 * 1024 * 1024, bit);
    // One pass takes some 20 ms; passing over the text repeatedly takes minutes.
    const times = [1, 2, 3].map(() => {
      const started = performance.now();
      expect(codeOf(() => scan(bomb))).toMatch(/body-too-deep|body-not-json/);
      return performance.now() - started;
    });
    expect(Math.min(...times)).toBeLessThan(1_000);
  });
});
