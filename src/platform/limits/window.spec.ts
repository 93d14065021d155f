import { Windows } from './window.js';

let now: number;
let windows: Windows;
beforeEach(() => {
  now = 1_000;
  windows = new Windows({ now: () => now }, 60_000);
});

describe('windows of counting', () => {
  it('begin with the first count, end after their length, and begin again with the next', () => {
    expect([windows.count('a'), windows.leftMs('a')]).toEqual([0, 0]);
    windows.add('a');
    now += 59_999;
    windows.add('a');
    expect([windows.count('a'), windows.leftMs('a'), windows.count('b')]).toEqual([2, 1, 0]);
    now += 1;
    expect([windows.count('a'), windows.leftMs('a')]).toEqual([0, 0]);
    windows.add('a');
    expect([windows.count('a'), windows.leftMs('a')]).toEqual([1, 60_000]);
  });

  it('take a count back, but never below none, nor from a window that is over', () => {
    windows.add('a');
    windows.takeBack('a');
    windows.takeBack('a');
    expect(windows.count('a')).toBe(0);
    windows.add('a');
    now += 60_000;
    windows.takeBack('a');
    windows.add('a');
    expect(windows.count('a')).toBe(1);
  });

  it('are 100,000 at most: the one that began first is forgotten, however often it was counted', () => {
    for (const key of ['first', 'second', 'first']) windows.add(key);
    for (let n = 0; n < 99_999; n++) windows.add(`n${n}`);
    expect([windows.count('first'), windows.count('second'), windows.count('n99998')]).toEqual([0, 1, 1]);
  });
});
