import fc from 'fast-check';
import { DEFAULT_RETRY, isExhausted, retryDelayMs, type RetryPolicy } from './retry-policy.js';

const policies = fc.record<RetryPolicy>({
  strategy: fc.constantFrom('exponential', 'linear', 'fixed', 'schedule'),
  initialDelayMs: fc.integer({ min: 10, max: 60_000 }),
  maxDelayMs: fc.integer({ min: 10, max: 86_400_000 }),
  multiplier: fc.double({ min: 1, max: 100, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  maxAttempts: fc.integer({ min: 1, max: 1_000 }),
  maxAgeSeconds: fc.integer({ min: 1, max: 1_000_000 }),
  scheduleMs: fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 20 }),
});
const attempts = fc.integer({ min: 1, max: 1_000 });
const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a retry schedule', () => {
  it('begins with 1 s, 2 s, 4 s and never waits longer than an hour and its jitter', () => {
    expect([1, 2, 3, 4].map((attempt) => retryDelayMs(DEFAULT_RETRY, attempt, () => 0))).toEqual([
      1_000, 2_000, 4_000, 8_000,
    ]);
    expect(retryDelayMs(DEFAULT_RETRY, 50, () => 0)).toBe(3_600_000);
    expect(retryDelayMs(DEFAULT_RETRY, 50, () => 0.999)).toBeLessThanOrEqual(3_600_000 * 1.1);
  });

  it('has jitter that only adds: no delay is shorter than without it, or longer than its share allows', () => {
    fc.assert(
      fc.property(policies, attempts, chances, (policy, attempt, chance) => {
        const planned = retryDelayMs({ ...policy, jitter: 0 }, attempt, () => chance);
        const delay = retryDelayMs(policy, attempt, () => chance);
        expect(delay).toBeGreaterThanOrEqual(planned);
        expect(delay).toBeLessThanOrEqual(planned * (1 + policy.jitter) + 1);
      }),
    );
  });

  it('never waits less after a later failure, except with an explicit schedule', () => {
    fc.assert(
      fc.property(policies, attempts, (policy, attempt) => {
        fc.pre(policy.strategy !== 'schedule');
        expect(retryDelayMs(policy, attempt + 1, () => 0)).toBeGreaterThanOrEqual(
          retryDelayMs(policy, attempt, () => 0),
        );
      }),
    );
  });

  it('repeats the last step of an explicit schedule', () => {
    const policy: RetryPolicy = { ...DEFAULT_RETRY, strategy: 'schedule', scheduleMs: [5, 50] };
    expect([1, 2, 3, 9].map((attempt) => retryDelayMs(policy, attempt, () => 0))).toEqual([5, 50, 50, 50]);
  });

  it('ends after the maximum of attempts or of age, whichever comes first', () => {
    const policy = { ...DEFAULT_RETRY, maxAttempts: 3, maxAgeSeconds: 10 };
    expect(isExhausted(policy, 2, 0, 9_999)).toBe(false);
    expect(isExhausted(policy, 3, 0, 1)).toBe(true);
    expect(isExhausted(policy, 1, 0, 10_000)).toBe(true);
  });
});
