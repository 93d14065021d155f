import { cutoff, isRetention, MAX_AGE, maxAgeOf, parseMaxAge, clampRetention } from './retention.js';

describe('the retention of audit records', () => {
  it.each([30, 400, 3_650])('is a number of days: %i', (days) => {
    expect(parseMaxAge(maxAgeOf(days))).toBe(days);
  });

  it.each(['P29D', 'P3651D', 'P1Y', 'P400', '400', 'p400d', 'P-40D', 'P40.5D', 'P400D ', 'P99999D', ''])(
    'is not %j',
    (text) => {
      expect(() => parseMaxAge(text)).toThrow(expect.objectContaining({ code: 'audit-retention-invalid' }));
    },
  );

  it('is exactly what the pattern of the contract accepts', () => {
    for (let days = 0; days <= 10_000; days++)
      expect([days, MAX_AGE.test(`P${days}D`)]).toEqual([days, isRetention(days)]);
  });

  it.each([
    [-1, 30],
    [0, 30],
    [29, 30],
    [30, 30],
    [3_650, 3_650],
    [100_000, 3_650],
  ])('is never out of bounds when it is read: %i', (stored, days) => {
    expect(clampRetention(stored)).toBe(days);
  });

  it('is counted in whole days back from now', () => {
    expect(cutoff(Date.UTC(2026, 10, 23), 30)).toBe(Date.UTC(2026, 9, 24));
  });
});
