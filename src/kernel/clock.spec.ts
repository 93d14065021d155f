import { jest } from '@jest/globals';
import { SystemClock, remainingWaitMs, WallClock } from './clock.js';

const HOUR_MS = 3_600_000;

let wallMs: number;
let steadyMs: number;
let clock: SystemClock;

beforeEach(() => {
  [wallMs, steadyMs] = [1_000_000_000, 5];
  jest.spyOn(Date, 'now').mockImplementation(() => wallMs);
  jest.spyOn(performance, 'now').mockImplementation(() => steadyMs);
  clock = new SystemClock();
});
afterEach(() => jest.restoreAllMocks());

function pass(ms: number): void {
  wallMs += ms;
  steadyMs += ms;
}

describe('the system clock', () => {
  it('returns the time of the system', () => {
    pass(1_500);
    expect([clock.now(), clock.setBackMs()]).toEqual([wallMs, 0]);
  });

  it('that is set forward is followed at once, also after the machine has slept', () => {
    wallMs += HOUR_MS;
    expect(clock.now()).toBe(wallMs);
    pass(10);
    expect(clock.now()).toBe(wallMs);
  });

  it('that is set back does not turn time back: it continues from where it was, at the same speed', () => {
    const before = clock.now();
    wallMs -= HOUR_MS;
    expect(clock.now()).toBe(before);
    pass(60_000);
    expect(clock.now()).toBe(before + 60_000);
    expect(clock.setBackMs()).toBe(HOUR_MS);
  });

  it('that is corrected again is followed from there on', () => {
    wallMs -= HOUR_MS;
    pass(1_000);
    wallMs += HOUR_MS;
    pass(1_000);
    expect([clock.now(), clock.setBackMs()]).toEqual([wallMs, 0]);
  });

  it('returns whole milliseconds, none smaller than the one before, also between two ticks', () => {
    const times: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      steadyMs += 0.3;
      if (i % 7 === 0) wallMs += 2;
      times.push(clock.now());
    }
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.every(Number.isInteger)).toBe(true);
  });
});

it('the wall clock is the system clock, also when that is set back', () => {
  const wall = new WallClock();
  wallMs += HOUR_MS;
  expect(clock.now()).toBe(wallMs);
  wallMs -= HOUR_MS;
  pass(1_000);
  expect([wall.now(), clock.now()]).toEqual([wallMs, wallMs + HOUR_MS]);
});

it.each([
  ['the time that is left', 900, 400],
  ['no longer', 100, 0],
  ['at most its full length, if it began by a clock that was ahead', HOUR_MS, 500],
])('a wait of 500 ms lasts %s', (_, since, rest) => {
  expect(remainingWaitMs(since, 500, 1_000)).toBe(rest);
});
