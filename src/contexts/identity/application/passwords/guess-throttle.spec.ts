import { Clock } from '../../../../kernel/clock.js';
import { GuessThrottle } from './guess-throttle.js';
import { ResetQuota } from './reset-quota.js';

class TestClock extends Clock {
  at = 1_000_000;

  now(): number {
    return this.at;
  }
}

const nobody = (): Promise<ReadonlySet<string>> => Promise.resolve(new Set());
let clock: TestClock;
let throttle: GuessThrottle;

beforeEach(() => {
  clock = new TestClock();
  throttle = new GuessThrottle(clock);
});

/** Whether the guess is accepted. */
const tried = (name: string, address: string, known = nobody): Promise<boolean> =>
  throttle.attempt(name, address, known).then(
    () => true,
    (error: { code?: string }) => {
      expect(error.code).toBe('login-throttled');
      return false;
    },
  );
const address = (n: number): string => `198.51.${Math.floor(n / 250)}.${(n % 250) + 1}`;

describe('guesses at an account', () => {
  it('are limited to ten, concurrent or not; then they wait, and a refused one does not extend the wait', async () => {
    const together = await Promise.all(Array.from({ length: 100 }, () => tried('jane', '192.0.2.1')));
    expect(together.filter(Boolean)).toHaveLength(10);
    clock.at += 999;
    expect(await tried('jane', '192.0.2.1')).toBe(false);
    clock.at += 1;
    expect([await tried('jane', '192.0.2.1'), await tried('jane', '192.0.2.1')]).toEqual([true, false]);
    clock.at += 1_999;
    expect(await tried('jane', '192.0.2.1')).toBe(false);
    clock.at += 1;
    expect(await tried('jane', '192.0.2.1')).toBe(true);
  });

  it('wait from the moment that the last one was found to be wrong, however long that took', async () => {
    await Promise.all(Array.from({ length: 10 }, () => tried('jane', '192.0.2.1')));
    clock.at += 5_000;
    throttle.failed('jane', '192.0.2.1');
    clock.at += 999;
    expect(await tried('jane', '192.0.2.1')).toBe(false);
    clock.at += 1;
    expect(await tried('jane', '192.0.2.1')).toBe(true);
  });

  it('from one place do not affect another', async () => {
    for (let n = 0; n < 11; n++) await tried('jane', '192.0.2.1');
    expect([await tried('jane', '192.0.2.1'), await tried('jane', '192.0.2.2')]).toEqual([false, true]);
  });

  it('do not count if there was no time to check them', async () => {
    for (let n = 0; n < 50; n++) {
      expect(await tried('jane', '192.0.2.1')).toBe(true);
      throttle.withdraw('jane', '192.0.2.1');
    }
    for (let n = 0; n < 10; n++) expect(await tried('jane', '192.0.2.1')).toBe(true);
    expect(await tried('jane', '192.0.2.1')).toBe(false);
  });

  it('start again at zero after the right one', async () => {
    for (let n = 0; n < 10; n++) await tried('jane', '192.0.2.1');
    throttle.succeeded('jane', '192.0.2.1');
    for (let n = 0; n < 10; n++) expect(await tried('jane', '192.0.2.1')).toBe(true);
  });

  it('from a hundred places keep strangers out; the owner can log in from where they are known', async () => {
    for (let n = 0; n < 100; n++) expect(await tried('jane', address(n))).toBe(true);
    const known = (): Promise<ReadonlySet<string>> => Promise.resolve(new Set(['192.0.2.1']));
    expect([await tried('jane', address(200), known), await tried('jane', '192.0.2.1', known)]).toEqual([false, true]);
    throttle.succeeded('jane', '192.0.2.1');
    expect(await tried('jane', address(200), known)).toBe(true);
  });

  it('from a hundred places are forgotten once the mail of the account was used', async () => {
    for (let n = 0; n < 100; n++) await tried('jane', address(n));
    throttle.forgetFailures('jane');
    expect(await tried('jane', address(200))).toBe(true);
  });
});

describe('guesses from an address', () => {
  it('are limited to thirty a minute over all accounts; right ones do not count', async () => {
    for (let n = 0; n < 100; n++) {
      expect(await tried(`good${n}`, '192.0.2.1')).toBe(true);
      throttle.succeeded(`good${n}`, '192.0.2.1');
    }
    for (let n = 0; n < 30; n++) expect(await tried(`n${n}`, '192.0.2.1')).toBe(true);
    expect(await tried('other', '192.0.2.1')).toBe(false);
    clock.at += 60_000;
    expect(await tried('other', '192.0.2.1')).toBe(true);
  });
});

describe('mails to strangers', () => {
  it('are limited per hour to three for one account and address, twenty for one account, and ten from one address', () => {
    const quota = new ResetQuota(clock);
    const taken = (name: string, from: string): boolean => quota.take(name, from);
    expect([1, 2, 3, 4].map(() => taken('jane', address(1)))).toEqual([true, true, true, false]);
    expect(taken('jane', address(2))).toBe(true);
    expect(Array.from({ length: 30 }, (_, n) => taken('jane', address(n + 3))).filter(Boolean)).toHaveLength(16);
    expect(Array.from({ length: 12 }, (_, n) => taken(`n${n}`, '192.0.2.9')).filter(Boolean)).toHaveLength(10);
    clock.at += 3_600_000;
    expect([taken('jane', address(1)), taken('n', '192.0.2.9')]).toEqual([true, true]);
  });
});
