import fc from 'fast-check';
import {
  withGuess,
  FORGOTTEN_AFTER_MS,
  FREE_FAILURES,
  waitAfter,
  waitLeft,
  WAIT_MS_MAX,
  type Failures,
} from './guess-schedule.js';

describe('the wait after wrong guesses', () => {
  it('is zero at first, then a second that doubles up to a quarter of an hour', () => {
    expect(waitAfter(FREE_FAILURES - 1)).toBe(0);
    expect([0, 1, 2, 3, 9, 10, 50].map((more) => waitAfter(FREE_FAILURES + more))).toEqual([
      1_000,
      2_000,
      4_000,
      8_000,
      512_000,
      WAIT_MS_MAX,
      WAIT_MS_MAX,
    ]);
  });

  it('never decreases, and never exceeds the maximum', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(1_000), (failures, more) => {
        expect(waitAfter(failures + more)).toBeGreaterThanOrEqual(waitAfter(failures));
        expect(waitAfter(failures)).toBeLessThanOrEqual(WAIT_MS_MAX);
      }),
    );
  });

  it('counts from the last guess, and is forgotten after a day without one', () => {
    const failures = { count: FREE_FAILURES, lastAt: 5_000 };
    expect([5_000, 5_999, 6_000, 9_000].map((now) => waitLeft(failures, now))).toEqual([1_000, 1, 0, 0]);
    expect(waitLeft(undefined, 0)).toBe(0);
    expect(withGuess(failures, 5_001)).toEqual({ count: FREE_FAILURES + 1, lastAt: 5_001 });
    expect(withGuess(failures, 5_000 + FORGOTTEN_AFTER_MS)).toEqual({ count: 1, lastAt: 5_000 + FORGOTTEN_AFTER_MS });
  });

  it('allows at most 120 guesses a day, whatever their timing', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 1_200_000 }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(pauses, (all) => {
        let failures: Failures | undefined;
        let now = 0;
        let looked = 0;
        for (const pause of all) {
          now += pause;
          if (now > FORGOTTEN_AFTER_MS) break;
          if (waitLeft(failures, now) > 0) continue;
          failures = withGuess(failures, now);
          looked++;
        }
        expect(looked).toBeLessThanOrEqual(120);
      }),
    );
  });
});
