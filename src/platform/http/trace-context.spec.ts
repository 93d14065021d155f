import { tracestateOf } from './trace-context.js';

const many = (count: number, chars: number): string[] =>
  Array.from({ length: count }, (_, i) => `v${i}=`.padEnd(chars, 'x'));

describe('a tracestate', () => {
  it.each([
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['a=1, b=2 ,\tc=3', 'a=1,b=2,c=3'],
    ['a=1,, ,b=2', 'a=1,b=2'],
    ['t@sys=a b;c:d', 't@sys=a b;c:d'],
    [many(32, 10).join(), many(32, 10).join()],
  ])('is kept, without the spaces around its members: %s', (sent, kept) => {
    expect(tracestateOf(sent)).toBe(kept);
  });

  it.each([
    '',
    ' , ',
    'a',
    'a=',
    '=1',
    'A=1',
    'a=1=2',
    'a=\u00e4',
    'a=1\r\nx: y',
    `${'k'.repeat(257)}=1`,
    `a=${'v'.repeat(257)}`,
    many(33, 5).join(),
  ])('that is not valid is dropped: %j', (sent) => {
    expect(tracestateOf(sent)).toBeNull();
  });

  it('of more than 512 characters loses whole members: the long ones first, then from the end', () => {
    const short = many(5, 100);
    expect(tracestateOf([`long=${'x'.repeat(124)}`, ...short].join())).toBe(short.join());
    expect(tracestateOf(many(6, 100).join())).toBe(short.join());
    expect(tracestateOf(many(6, 100).join())).toHaveLength(504);
  });
});
