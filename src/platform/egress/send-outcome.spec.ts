import { parseRetryAfter } from './send-outcome.js';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Monday, 23-Nov-26 12:01:00 GMT', 60_000],
  ])('%s is a wait', (header, waitMs) => {
    expect(parseRetryAfter(header, NOW)).toBe(waitMs);
  });

  it.each([
    [undefined],
    [''],
    ['-5'],
    ['1.5'],
    ['1e3'],
    ['soon'],
    ['9999999999'],
    ['2026-11-23T12:00:30Z'],
    ['Mon, 23 Nov 2026 11:59:59 GMT'],
    ['Mon, 99 Nov 2026 12:00:30 GMT'],
  ])('%s says nothing', (header) => {
    expect(parseRetryAfter(header, NOW)).toBeUndefined();
  });

  it('is the first one when it is sent several times', () => {
    expect(parseRetryAfter(['3', '9'], NOW)).toBe(3_000);
  });
});
