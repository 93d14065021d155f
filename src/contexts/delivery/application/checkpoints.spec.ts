import { setImmediate } from 'node:timers/promises';
import { Checkpoints } from './checkpoints.js';
import type { ClaimedLane, LaneStore, RunningLane } from './ports.js';

const LONG_MS = 60_000;
const stored: string[][] = [];
let onStored: () => void;

const store = {
  checkpoint(lanes: readonly ClaimedLane[]) {
    stored.push(lanes.map(({ topicUid }) => topicUid));
    onStored();
    return Promise.resolve([]);
  },
} as unknown as LaneStore;

const lane = (topicUid: string): RunningLane =>
  ({ key: { tenantId: 't', consumerUid: 'c', topicUid }, snapshot: { topicUid } }) as unknown as RunningLane;

it('stores the first position after a rest at once, then all that move within the interval together, the rest on close', async () => {
  stored.length = 0;
  const first = Promise.withResolvers<void>();
  onStored = first.resolve;
  const checkpoints = new Checkpoints(
    store,
    LONG_MS,
    () => undefined,
    () => undefined,
  );
  checkpoints.start();
  checkpoints.mark(lane('a'));
  await first.promise;
  for (const topic of ['a', 'b', 'a']) {
    checkpoints.mark(lane(topic));
    await setImmediate();
  }
  expect(stored).toEqual([['a']]);
  await checkpoints.close();
  expect(stored).toEqual([['a'], ['a', 'b']]);
});
