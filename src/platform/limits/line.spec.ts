import { jest } from '@jest/globals';
import { Line } from './line.js';

afterEach(() => jest.useRealTimers());

/** In the order in which they are let in. */
function waitIn(line: Line, names: readonly string[]): string[] {
  const entered: string[] = [];
  for (const name of names) void line.wait().then(() => entered.push(name));
  return entered;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a line', () => {
  it('lets in so many at once, and the others in the order in which they came, one for each that leaves', async () => {
    const line = new Line(2);
    expect([line.enter(), line.enter(), line.enter()]).toEqual([true, true, false]);
    const entered = waitIn(line, ['a', 'b', 'c']);
    line.leave();
    await settled();
    expect([entered, line.entered, line.waiting]).toEqual([['a'], 2, 2]);
    line.leave();
    line.leave();
    await settled();
    expect([entered, line.entered, line.waiting]).toEqual([['a', 'b', 'c'], 2, 0]);
  });

  it('lets in more as soon as its limit rises, and removes none when it falls', async () => {
    const line = new Line(1);
    line.enter();
    const entered = waitIn(line, ['a', 'b', 'c']);
    line.setLimit(3);
    await settled();
    expect(entered).toEqual(['a', 'b']);
    line.setLimit(1);
    line.leave();
    line.leave();
    await settled();
    expect([entered, line.entered, line.enter()]).toEqual([['a', 'b'], 1, false]);
    line.leave();
    await settled();
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('forgets those that have waited long enough, and keeps no place for them', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const line = new Line(1);
    line.enter();
    const first = line.wait(2_000);
    const second = line.wait(5_000);
    jest.advanceTimersByTime(2_000);
    await expect(first).resolves.toBe(false);
    line.leave();
    await expect(second).resolves.toBe(true);
    expect([line.entered, line.waiting, jest.getTimerCount()]).toEqual([1, 0, 0]);
  });
});
