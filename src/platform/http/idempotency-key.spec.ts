import { IDEMPOTENCY_KEY_SCHEMA, idempotencyKeyIn } from './idempotency-key.js';

const documented = new RegExp(IDEMPOTENCY_KEY_SCHEMA.pattern, 'u');

describe('an Idempotency-Key is valid exactly when the document says so', () => {
  it.each([
    ['a', 'a'],
    ['a"b\\', 'a"b\\'],
    ['x'.repeat(255), 'x'.repeat(255)],
    ['"a"', 'a'],
    ['"a b"', 'a b'],
    ['"a";v=1', 'a'],
    ['"a" ; v=1', 'a'],
    [String.raw`"a \"b\" \\"`, String.raw`a "b" \ `.trimEnd()],
    [`"${String.raw`\"`.repeat(255)}"`, '"'.repeat(255)],
  ])('%s', (header, key) => {
    expect([idempotencyKeyIn(header), documented.test(header)]).toEqual([key, true]);
  });

  it.each([
    '',
    ' ',
    'a b',
    'ä',
    '"',
    '""',
    '"a',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
    '"a"b',
    '"ä"',
    '"a\tb"',
    String.raw`"a\b"`,
  ])('and not %j', (header) => {
    expect([idempotencyKeyIn(header), documented.test(header)]).toEqual([undefined, false]);
  });
});
