import fc from 'fast-check';
import { parseRetryAfter } from './retry-after.js';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const YEARS_MS = 40 * 365 * 86_400_000;

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['007', 7_000],
    [' 7 ', 7_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Monday, 23-Nov-26 12:01:00 GMT', 60_000],
    ['Mon Nov 23 12:02:00 2026', 120_000],
    ['Tue Dec  1 12:00:00 2026', 8 * 86_400_000],
    ['Wed, 23 Nov 2026 12:00:60 GMT', 60_000],
  ])('%s is a wait', (header, waitMs) => {
    expect(parseRetryAfter(header, NOW)).toBe(waitMs);
  });

  it.each([
    ['9999999999'],
    ['99999999999'],
    ['9'.repeat(400)],
    ['Fri, 31 Dec 9999 23:59:59 GMT'],
    ['Friday, 31-Dec-76 23:59:59 GMT'],
    ['Fri Dec 31 23:59:59 9999'],
  ])('%s is a long wait, and a number that JSON can carry', (header) => {
    const waitMs = parseRetryAfter(header, NOW)!;
    expect(waitMs).toBeGreaterThan(YEARS_MS);
    expect(Number.isSafeInteger(waitMs)).toBe(true);
  });

  it.each([
    ['Mon, 23 Nov 2026 11:59:59 GMT'],
    ['Sunday, 06-Nov-94 08:49:37 GMT'],
    ['Sun Nov  6 08:49:37 1994'],
    ['Thu, 01 Jan 0001 00:00:00 GMT'],
  ])('%s is past: no wait', (header) => {
    expect(parseRetryAfter(header, NOW)).toBe(0);
  });

  it.each([
    [undefined],
    [''],
    ['-5'],
    ['1.5'],
    ['1e3'],
    ['soon'],
    ['2026-11-23T12:00:30Z'],
    ['Mon, 99 Nov 2026 12:00:30 GMT'],
    ['Mon, 31 Feb 2027 12:00:30 GMT'],
    ['Mon, 23 Foo 2026 12:00:30 GMT'],
    ['Mon, 23 anF 2026 12:00:30 GMT'],
    ['Mon, 23 Nov 2026 24:00:30 GMT'],
    ['Mon, 23 Nov 2026 12:00:30 CET'],
    ['Mon, 23 Nov 2026 12:00:30 +0100'],
  ])('%s says nothing', (header) => {
    expect(parseRetryAfter(header, NOW)).toBeUndefined();
  });

  it('is the same in each of the three forms of a date', () => {
    const times = fc.integer({ min: NOW, max: NOW + YEARS_MS }).map((ms) => Math.floor(ms / 1_000) * 1_000);
    fc.assert(
      fc.property(times, (ms) => {
        const fixdate = new Date(ms).toUTCString();
        const [, day, month, year, time] = fixdate.split(/,? /);
        const rfc850 = `Sunday, ${day}-${month}-${year!.slice(2)} ${time} GMT`;
        const asctime = `Sun ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`;
        expect([fixdate, rfc850, asctime].map((form) => parseRetryAfter(form, NOW))).toEqual(Array(3).fill(ms - NOW));
      }),
    );
  });

  it('is the first one when it is sent several times', () => {
    expect(parseRetryAfter(['3', '9'], NOW)).toBe(3_000);
  });
});
