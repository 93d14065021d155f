import { jest } from '@jest/globals';
import { Semaphore } from './semaphore.js';

afterEach(() => jest.useRealTimers());

/** In the order in which they are let in. */
function waitIn(semaphore: Semaphore, names: readonly string[]): string[] {
  const entered: string[] = [];
  for (const name of names) void semaphore.wait().then(() => entered.push(name));
  return entered;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a semaphore', () => {
  it('lets in so many at once, and the others in the order in which they came, one for each that leaves', async () => {
    const semaphore = new Semaphore(2);
    expect([semaphore.tryAcquire(), semaphore.tryAcquire(), semaphore.tryAcquire()]).toEqual([true, true, false]);
    const entered = waitIn(semaphore, ['a', 'b', 'c']);
    semaphore.release();
    await settled();
    expect([entered, semaphore.acquired, semaphore.waiting]).toEqual([['a'], 2, 2]);
    semaphore.release();
    semaphore.release();
    await settled();
    expect([entered, semaphore.acquired, semaphore.waiting]).toEqual([['a', 'b', 'c'], 2, 0]);
  });

  it('lets in more as soon as its limit rises, and removes none when it falls', async () => {
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    const entered = waitIn(semaphore, ['a', 'b', 'c']);
    semaphore.setLimit(3);
    await settled();
    expect(entered).toEqual(['a', 'b']);
    semaphore.setLimit(1);
    semaphore.release();
    semaphore.release();
    await settled();
    expect([entered, semaphore.acquired, semaphore.tryAcquire()]).toEqual([['a', 'b'], 1, false]);
    semaphore.release();
    await settled();
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('forgets those that have waited long enough, and keeps no place for them', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    const first = semaphore.wait(2_000);
    const second = semaphore.wait(5_000);
    jest.advanceTimersByTime(2_000);
    await expect(first).resolves.toBe(false);
    semaphore.release();
    await expect(second).resolves.toBe(true);
    expect([semaphore.acquired, semaphore.waiting, jest.getTimerCount()]).toEqual([1, 0, 0]);
  });
});
