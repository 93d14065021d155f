import { isMet, type ExpectedVersion } from './expected-version.js';

const at = (version: number, exists = version > 0) => ({ version, exists });

it.each<[string, ExpectedVersion | undefined, boolean, boolean]>([
  ['nothing', undefined, true, true],
  ['the version', 3, true, false],
  ['another version', 2, false, false],
  ['one of several', { match: [1, 3] }, true, false],
  ['none of its versions', { match: [] }, false, false],
  ['any version', { match: 'any' }, true, false],
  ['not this version', { noneMatch: [1, 3] }, false, true],
  ['not another version', { noneMatch: [2] }, true, true],
  ['no version', { noneMatch: 'any' }, false, true],
  ['this version, and not another', { match: [3], noneMatch: [2] }, true, false],
  ['this version, and no version', { match: [3], noneMatch: 'any' }, false, false],
])('to expect %s', (_, expected, ofThird, ofMissing) => {
  expect([isMet(expected, at(3)), isMet(expected, at(0))]).toEqual([ofThird, ofMissing]);
});

it('a deleted resource does not exist, whatever its version', () => {
  expect([isMet({ match: 'any' }, at(3, false)), isMet({ noneMatch: 'any' }, at(3, false))]).toEqual([false, true]);
});
