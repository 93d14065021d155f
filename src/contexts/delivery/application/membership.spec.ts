import { jest } from '@jest/globals';
import { Membership } from './membership.js';
import type { LaneStore, WorkerBeat } from './ports.js';

const TTL_MS = 6_000;
const beats = new Map<string, number>();
const forgotten: string[] = [];
let held: Promise<void>;

/** Counts as the table does; `held` delays a reply. */
const store = {
  async beat(workerId: string): Promise<WorkerBeat[]> {
    beats.set(workerId, (beats.get(workerId) ?? 0) + 1);
    const seen = [...beats].map(([id, beat]) => ({ workerId: id, beat }));
    await held;
    return seen;
  },
  forgetWorkers(ids: readonly string[]): Promise<void> {
    for (const id of ids) beats.delete(id);
    forgotten.push(...ids);
    return Promise.resolve();
  },
} as unknown as LaneStore;

let membership: Membership;
const onLapse = jest.fn();
const onRenewed = jest.fn();

beforeEach(() => {
  jest.useFakeTimers();
  for (const callback of [onLapse, onRenewed]) callback.mockReset();
  beats.clear();
  forgotten.length = 0;
  held = Promise.resolve();
  membership = new Membership(store, { ttlMs: TTL_MS, alone: false });
  Object.assign(membership, { onLapse, onRenewed });
});
afterEach(() => {
  membership.close();
  jest.useRealTimers();
});

/** Time passes in steps of a heartbeat. */
async function beatFor(ms: number): Promise<string[]> {
  let live: string[] = [];
  for (let passed = 0; passed <= ms; passed += 2_000) {
    live = await membership.beat();
    jest.advanceTimersByTime(2_000);
  }
  return live;
}

it('considers a worker dead whose count does not change for the ttl, and not before', async () => {
  beats.set('other', 7);
  expect(await beatFor(TTL_MS)).toContain('other');
  expect(await beatFor(2_000)).toEqual([membership.workerId]);
  expect(forgotten).toEqual(['other']);
});

it('considers no one dead after it was held up itself: the others may have been, too', async () => {
  beats.set('other', 7);
  await membership.beat();
  jest.advanceTimersByTime(TTL_MS + 1);
  expect(await membership.beat()).toContain('other');
  expect(membership.expired).toBe(true);
});

it('considers itself dead after a late beat, although it was stored', async () => {
  const { workerId } = membership;
  const answer = Promise.withResolvers<void>();
  held = answer.promise;
  const late = membership.beat();
  jest.advanceTimersByTime(TTL_MS + 1);
  answer.resolve();
  await late;
  expect(membership.expired).toBe(true);
  expect(onRenewed).not.toHaveBeenCalled();
  membership.rejoin();
  expect([membership.expired, membership.workerId === workerId]).toEqual([false, false]);
});

it('reports that it has lapsed as soon as the ttl is over, also while the store does not respond', async () => {
  await membership.beat();
  held = new Promise(() => undefined);
  void membership.beat();
  jest.advanceTimersByTime(TTL_MS - 1);
  expect(onLapse).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(onLapse).toHaveBeenCalledTimes(1);
});

it('reports with each beat for how long it is alive, counted from when the beat was sent', async () => {
  const answer = Promise.withResolvers<void>();
  held = answer.promise;
  const beat = membership.beat();
  jest.advanceTimersByTime(1_000);
  answer.resolve();
  await beat;
  expect(onRenewed.mock.calls).toEqual([[TTL_MS - 1_000]]);
});

it('stays dead after an explicit lapse until it rejoins', async () => {
  await membership.beat();
  membership.lapse();
  expect([membership.expired, onLapse.mock.calls.length]).toEqual([true, 1]);
  await membership.beat();
  expect([membership.expired, onRenewed.mock.calls.length]).toEqual([true, 1]);
});
