import * as fc from 'fast-check';
import { DomainError } from '../../kernel/domain-error.js';
import { parseStrictJson } from './strict-json.js';

const parse = (body: string | Buffer, depthMax = 32, valuesMax = 1_000) =>
  parseStrictJson(typeof body === 'string' ? Buffer.from(body) : body, { depthMax, valuesMax });

function refused(body: string | Buffer, depthMax?: number, valuesMax?: number): string {
  try {
    parse(body, depthMax, valuesMax);
  } catch (error) {
    if (error instanceof DomainError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('a strict body', () => {
  it('has the value that JSON.parse returns', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        fc.pre(!text.includes('"__proto__"'));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1,"b":{"c":1,"\\u0063":2}}', 'body-duplicate-key The key /b/c is named twice.'],
    ['[{"a/b":{"":1,"":2}}]', 'body-duplicate-key The key /0/a~1b/ is named twice.'],
    ['{"a":[0,{"__proto__":{}}]}', 'body-forbidden-key The key /a/1/__proto__ is not allowed.'],
    ['{"_\\u005fproto_\\u005F":1}', 'body-forbidden-key The key /__proto__ is not allowed.'],
    ['{"constructor":{"prototype":{"x":1}}}', 'body-forbidden-key The key /constructor/prototype is not allowed.'],
    ['', 'body-not-json The body is empty.'],
    ['{"a":1', 'body-not-json The body is not JSON where it ends.'],
    ['{"a":1}x', 'body-not-json The body continues after the JSON value, at byte 7.'],
    ['{"a":1,"a":}', 'body-not-json The body is not JSON at byte 11.'],
    ['\uFEFF{}', 'body-not-json The body starts with a byte order mark; JSON has none.'],
    [Buffer.from('{"a":1}', 'utf16le'), 'body-not-json The body is not JSON at byte 1.'],
    [Buffer.from([0x22, 0xc0, 0x80, 0x22]), 'body-not-utf8 The body has bytes that are not UTF-8.'],
  ])('refuses %j', (body, reason) => expect(refused(body)).toBe(reason));

  it('allows the words constructor and prototype where they cannot reach a prototype', () => {
    expect(parse('{"constructor":"Renault","prototype":{"constructor":1}}')).toEqual({
      constructor: 'Renault',
      prototype: { constructor: 1 },
    });
  });

  it('counts levels of arrays and objects together', () => {
    expect(parse('{"a":[{"b":[]}]}', 4)).toEqual({ a: [{ b: [] }] });
    expect(refused('{"a":[{"b":[]}]}', 3)).toBe('body-too-deep The body is nested deeper than 3 levels (byte 11).');
  });

  it('counts values at any depth', () => {
    expect(parse('{"a":[{"b":[0,1]}]}', 32, 6)).toEqual({ a: [{ b: [0, 1] }] });
    expect(refused('{"a":[{"b":[0,1]}]}', 32, 5)).toBe(
      'body-too-many-values The value at /a/0/b/1 is one value too many: the body may hold 5.',
    );
  });

  it('refuses 10 MiB of brackets in one pass', () => {
    const bomb = Buffer.alloc(10 * 1024 * 1024, '[');
    // The best of three, because the machine may do other work meanwhile.
    const times = [1, 2, 3].map(() => {
      const started = performance.now();
      expect(refused(bomb)).toMatch(/^body-too-deep/);
      return performance.now() - started;
    });
    expect(Math.min(...times)).toBeLessThan(1_000);
  });
});
