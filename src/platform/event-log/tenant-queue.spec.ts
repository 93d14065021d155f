import type { Pipeline } from '../postgres/pipeline.js';
import type { AppendRequest } from './event.js';
import type { Flush } from './flush.js';
import { TenantQueue, type FlushUnderWay, type Pending } from './tenant-queue.js';

const pendingOf = (events: number): Pending => ({
  request: { events: Array.from({ length: events }) } as unknown as AppendRequest,
  bytes: events,
  resolve: () => undefined,
  reject: () => undefined,
});
const underWay = (mayBeFollowed: boolean): FlushUnderWay => ({
  batch: [],
  startedAt: 0,
  flush: { mayBeFollowed } as Flush,
  done: new Promise(() => undefined),
});

let pipeline: { mayFollow: boolean };
let queue: TenantQueue;
beforeEach(() => {
  pipeline = { mayFollow: true };
  queue = new TenantQueue('acme', pipeline as Pipeline, 4);
});

it('begins at once if nothing is in progress, with whatever there is', () => {
  expect(queue.mayBegin).toBe(false);
  queue.add(pendingOf(1));
  expect(queue.mayBegin).toBe(true);
});

it('sends behind another only as many events as are worth a commit, in any number of requests', () => {
  queue.underWay.push(underWay(true));
  for (const [events, enough] of [
    [1, false],
    [2, false],
    [1, true],
  ] as const) {
    queue.add(pendingOf(events));
    expect(queue.mayBegin).toBe(enough);
  }
  queue.take();
  queue.add(pendingOf(3));
  expect(queue.mayBegin).toBe(false);
});

it.each([
  ['one that may fail', [false], true],
  ['two', [true, true], true],
  ['one whose connection is wanted', [true], false],
])('sends nothing behind %s', (_, flushes, mayFollow) => {
  pipeline.mayFollow = mayFollow;
  for (const mayBeFollowed of flushes) queue.underWay.push(underWay(mayBeFollowed));
  queue.add(pendingOf(100));
  expect(queue.mayBegin).toBe(false);
});

it('takes at most 2,000 events at a time, and one request of any size', () => {
  for (const events of [1_500, 400, 200, 2_500]) queue.add(pendingOf(events));
  const sizes = [1, 2, 3].map(() => queue.take().map(({ request }) => request.events.length));
  expect([...sizes, queue.empty]).toEqual([[1_500, 400], [200], [2_500], true]);
});
