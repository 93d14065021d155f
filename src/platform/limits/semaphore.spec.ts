import { jest } from '@jest/globals';
import { Semaphore } from './semaphore.js';

afterEach(() => jest.useRealTimers());

/** In the order in which they are let in. */
function waitIn(line: Semaphore, names: readonly string[]): string[] {
  const entered: string[] = [];
  for (const name of names) void line.wait().then(() => entered.push(name));
  return entered;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a line', () => {
  it('lets in so many at once, and the others in the order in which they came, one for each that leaves', async () => {
    const line = new Semaphore(2);
    expect([line.tryAcquire(), line.tryAcquire(), line.tryAcquire()]).toEqual([true, true, false]);
    const entered = waitIn(line, ['a', 'b', 'c']);
    line.release();
    await settled();
    expect([entered, line.acquired, line.waiting]).toEqual([['a'], 2, 2]);
    line.release();
    line.release();
    await settled();
    expect([entered, line.acquired, line.waiting]).toEqual([['a', 'b', 'c'], 2, 0]);
  });

  it('lets in more as soon as its limit rises, and removes none when it falls', async () => {
    const line = new Semaphore(1);
    line.tryAcquire();
    const entered = waitIn(line, ['a', 'b', 'c']);
    line.setLimit(3);
    await settled();
    expect(entered).toEqual(['a', 'b']);
    line.setLimit(1);
    line.release();
    line.release();
    await settled();
    expect([entered, line.acquired, line.tryAcquire()]).toEqual([['a', 'b'], 1, false]);
    line.release();
    await settled();
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('forgets those that have waited long enough, and keeps no place for them', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const line = new Semaphore(1);
    line.tryAcquire();
    const first = line.wait(2_000);
    const second = line.wait(5_000);
    jest.advanceTimersByTime(2_000);
    await expect(first).resolves.toBe(false);
    line.release();
    await expect(second).resolves.toBe(true);
    expect([line.acquired, line.waiting, jest.getTimerCount()]).toEqual([1, 0, 0]);
  });
});
