import { globCovers, matchesGlob } from './glob.js';

describe('a glob', () => {
  it.each([
    ['order.created', 'order.created', true],
    ['order.created', 'order.created.v2', false],
    ['order.*', 'order.created', true],
    ['order.*', 'order.', true],
    ['order.*', 'orders', false],
    ['*', 'anything', true],
    ['a.b', 'axb', false],
    ['a*c', 'abc', false],
  ])('%s: whether it matches %s', (glob, text, matches) => {
    expect(matchesGlob(glob, text)).toBe(matches);
  });

  it.each([
    ['order.*', 'order.created', true],
    ['order.*', 'order.line.*', true],
    ['order.*', 'order.*', true],
    ['order.line.*', 'order.*', false],
    ['*', 'order.*', true],
    ['order.created', 'order.*', false],
    ['order.created', 'order.created', true],
  ])('%s: whether it covers %s', (wide, narrow, covers) => {
    expect(globCovers(wide, narrow)).toBe(covers);
  });
});
