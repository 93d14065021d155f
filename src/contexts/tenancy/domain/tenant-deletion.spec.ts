import { percentOf, progressWith } from './tenant-deletion.js';

describe('the progress of a deletion', () => {
  it.each([
    ['queued', 0, 0, 0],
    ['running', 200, 0, 0],
    ['running', 200, 101, 50],
    ['failed', 200, 50, 25],
  ] as const)('of %s with %i in all and %i done is %i', (state, total, done, percent) => {
    expect(percentOf(state, total, done)).toBe(percent);
  });

  it('is 100 only when nothing is left, the tenant itself included', () => {
    expect(percentOf('running', 10_000, 9_999)).toBe(99);
    expect(percentOf('running', 3, 3)).toBe(99);
    expect(percentOf('completed', 3, 3)).toBe(100);
    expect(percentOf('completed', 0, 0)).toBe(100);
  });

  it.each([
    ['the first count', { total: 0, done: 0 }, 9, { total: 9, done: 0 }],
    ['less that is left', { total: 9, done: 2 }, 3, { total: 9, done: 6 }],
    ['something that came in', { total: 9, done: 6 }, 5, { total: 11, done: 6 }],
    ['nothing that is left', { total: 9, done: 6 }, 0, { total: 9, done: 9 }],
  ])('after %s', (_, before, left, progress) => {
    expect(progressWith(before, left)).toEqual(progress);
  });
});
