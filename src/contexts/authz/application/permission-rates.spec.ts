import { Clock } from '../../../kernel/clock.js';
import { PermissionRates } from './permission-rates.js';

class TestClock extends Clock {
  time = 0;
  override now(): number {
    return this.time;
  }
}

const rate = (grantId: string, limit = 1) => ({ grantId, limit, windowSeconds: 60 });
const LIMITED = expect.objectContaining({ code: 'permission-rate-limited' });

let clock: TestClock;
let rates: PermissionRates;

beforeEach(() => {
  clock = new TestClock();
  rates = new PermissionRates(clock);
});

const refused = (userId: string, ...lists: Parameters<PermissionRates['spend']>[1]): boolean => {
  try {
    rates.spend(userId, lists);
    return false;
  } catch (error) {
    expect(error).toEqual(LIMITED);
    return true;
  }
};

describe('rates of permissions', () => {
  it('are counted by user and grant', () => {
    expect([refused('a', [rate('g')]), refused('b', [rate('g')]), refused('a', [rate('h')])]).toEqual([
      false,
      false,
      false,
    ]);
    expect(refused('a', [rate('g')])).toBe(true);
  });

  it('of one list take turns: one must have room', () => {
    const list = [rate('g'), rate('h')];
    expect([refused('a', list), refused('a', list), refused('a', list)]).toEqual([false, false, true]);
  });

  it('of several lists must all have room, and what one refuses is not taken from the others', () => {
    expect(refused('a', [rate('g')])).toBe(false);
    expect(refused('a', [rate('h', 2)], [rate('g')])).toBe(true);
    expect([refused('a', [rate('h', 2)]), refused('a', [rate('h', 2)])]).toEqual([false, false]);
  });

  it('count a request once, however many lists name the same', () => {
    expect(refused('a', [rate('g')], [rate('g'), rate('h')])).toBe(false);
    expect(refused('a', [rate('h')])).toBe(false);
  });

  it('report what is left of the one with the least', () => {
    const policy = { policy: 'permission', windowSeconds: 60 };
    expect(rates.spend('a', [[rate('g', 2)], [rate('h', 60)]])).toEqual({
      ...policy,
      quota: 2,
      remaining: 1,
      resetSeconds: 30,
    });
    expect(rates.spend('a', [])).toBeUndefined();
  });

  it('say how long it takes until all of them have room', () => {
    rates.spend('a', [[rate('g')], [rate('h', 60)]]);
    expect(() => rates.spend('a', [[rate('g')]])).toThrow(
      expect.objectContaining({
        extensions: {
          retryAfterSeconds: 60,
          limit: { policy: 'permission', quota: 1, windowSeconds: 60, remaining: 0, resetSeconds: 60 },
        },
      }),
    );
    clock.time = 60_000;
    expect(refused('a', [rate('g')])).toBe(false);
  });
});
