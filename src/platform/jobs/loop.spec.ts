import { jest } from '@jest/globals';
import { Loop, type LoopOptions } from './loop.js';

const EVERY_MS = 1_000;

let runs: number;
let errors: unknown[];
let outcome: () => unknown;
let loop: Loop;

const begin = (options: Partial<LoopOptions> = {}): Loop => {
  loop = new Loop({
    name: 'planted',
    every: EVERY_MS,
    runOnce: () => {
      runs++;
      return outcome();
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  loop.start();
  return loop;
};
/** How often it runs in that time. */
const runsDuring = async (ms: number): Promise<number> => {
  const before = runs;
  await jest.advanceTimersByTimeAsync(ms);
  return runs - before;
};
const fail = (): never => {
  throw new Error('not now');
};

beforeEach(() => {
  jest.useFakeTimers();
  [runs, errors, outcome] = [0, [], () => undefined];
});
afterEach(async () => {
  await loop.close();
  jest.useRealTimers();
});

it('runs at its start, then after each rest, or at once if there is more to do', async () => {
  begin();
  expect(runs).toBe(1);
  expect(await runsDuring(3 * EVERY_MS)).toBe(3);
  let left = 5;
  outcome = () => left-- > 0;
  expect(await runsDuring(EVERY_MS)).toBe(6);
});

it('begins with a rest if configured, and asks after each run how long to rest', async () => {
  let every = EVERY_MS;
  begin({ restsFirst: true, every: () => every });
  expect(await runsDuring(EVERY_MS - 1)).toBe(0);
  every = 10 * EVERY_MS;
  expect(await runsDuring(1)).toBe(1);
  expect(await runsDuring(10 * EVERY_MS - 1)).toBe(0);
});

it('runs on a nudge before its rest is over, once for several nudges', async () => {
  begin({ every: Infinity });
  expect(await runsDuring(1_000 * EVERY_MS)).toBe(0);
  for (let i = 0; i < 3; i++) loop.nudge();
  expect(await runsDuring(EVERY_MS)).toBe(1);
});

it('collects nudges if configured, and no later nudge delays the run further', async () => {
  begin({ every: Infinity, nudgeDelay: () => 100 });
  loop.nudge();
  expect(await runsDuring(90)).toBe(0);
  loop.nudge();
  expect(await runsDuring(10)).toBe(1);
});

it('runs once more if nudged during a run, never twice at once', async () => {
  const first = Promise.withResolvers<void>();
  outcome = () => first.promise;
  begin({ every: Infinity });
  for (let i = 0; i < 3; i++) loop.nudge();
  expect(await runsDuring(EVERY_MS)).toBe(0);
  first.resolve();
  expect(await runsDuring(EVERY_MS)).toBe(1);
});

it('reports each failure once, and rests longer after each, up to a limit; no nudge shortens that', async () => {
  outcome = fail;
  begin({ every: 10, backOff: { minMs: 100, maxMs: 400 } });
  const rests: number[] = [];
  for (let i = 0; i < 4; i++) {
    loop.nudge();
    let ms = 0;
    while ((await runsDuring(10)) === 0) ms += 10;
    rests.push(ms + 10);
  }
  expect(rests).toEqual([100, 200, 400, 400]);
  expect(errors).toHaveLength(5);
  outcome = () => undefined;
  await runsDuring(400);
  expect(await runsDuring(100)).toBe(10);
});

it('continues as usual after a failure without a back-off, including nudges', async () => {
  outcome = fail;
  begin();
  expect(await runsDuring(3 * EVERY_MS)).toBe(3);
  loop.nudge();
  expect(await runsDuring(1)).toBe(1);
  expect(errors).toHaveLength(5);
});

it('closes by aborting the run in progress, waits for its end, and runs no more', async () => {
  const ending = Promise.withResolvers<void>();
  let told = false;
  begin({
    runOnce: async (signal) => {
      await ending.promise;
      told = signal.aborted;
      throw new Error('cut off');
    },
  });
  let closed = false;
  const closing = loop.close().then(() => (closed = true));
  await jest.advanceTimersByTimeAsync(0);
  expect(closed).toBe(false);
  ending.resolve();
  await closing;
  expect([told, errors]).toEqual([true, []]);
  loop.nudge();
  loop.start();
  expect(await runsDuring(10 * EVERY_MS)).toBe(0);
});

it('signals the end of a run that began after the call, whether it succeeded or not', async () => {
  const ends = [1, 2].map(() => Promise.withResolvers<void>());
  outcome = () => ends[runs - 1]!.promise;
  begin({ every: 0 });
  let signalled = false;
  const signal = loop.afterNextRun().then(() => (signalled = true));
  ends[0]!.resolve();
  await jest.advanceTimersByTimeAsync(1);
  expect([runs, signalled]).toEqual([2, false]);
  ends[1]!.reject(new Error('not now'));
  await signal;
  expect(errors).toHaveLength(1);
});

it('knows the time since its last success, 0 while there is nothing to do', async () => {
  begin({ every: Infinity, backOff: { minMs: EVERY_MS, maxMs: EVERY_MS } });
  await runsDuring(60 * EVERY_MS);
  expect(loop.ageMs).toBe(0);
  outcome = fail;
  loop.nudge();
  await runsDuring(10 * EVERY_MS);
  expect(loop.ageMs).toBe(10 * EVERY_MS);
});
