import { parseTags } from './preconditions.js';

const strong = (opaque: string): object => ({ weak: false, opaque });

it.each([
  ['*', 'any'],
  [' * ', 'any'],
  ['"1"', [strong('1')]],
  ['"xyzzy", "r2d2xxxx","c3piozzzz"', ['xyzzy', 'r2d2xxxx', 'c3piozzzz'].map(strong)],
  ['W/"1"', [{ weak: true, opaque: '1' }]],
  ['""', [strong('')]],
  ['"a,b" , W/"*"', [strong('a,b'), { weak: true, opaque: '*' }]],
  [',"1",,\t"2",', ['1', '2'].map(strong)],
  ['"\\"', [strong('\\')]],
  ['"\xe9"', [strong('\xe9')]],
])('%s is a list of ETags', (header, tags) => expect(parseTags(header)).toEqual(tags));

it.each(['', ',', '1', '"', '"1', '1"', 'w/"1"', 'W/ "1"', '"1" "2"', '*, "1"', '"1", *', '"a b"', '"\u0001"'])(
  '%j is none',
  (header) => expect(parseTags(header)).toBeUndefined(),
);

it('takes time linear in the length of the header', () => {
  const header = `${'"1",'.repeat(100_000)} x`;
  const begin = performance.now();
  expect(parseTags(header)).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(1_000);
});
