import type { StoredEvent, TopicTail } from '../../../platform/event-log/index.js';
import { Backlog } from './backlog.js';

const eventAt = (position: number): StoredEvent => ({ id: `evt_${position}`, position }) as StoredEvent;

/** A log of `head` events, read in pages of 100; the tail holds those from `ringFrom` on. */
function tailOf(head: number, { ringFrom = Infinity, missing = [] as number[] } = {}) {
  const reads: number[] = [];
  let failures = 0;
  const tail = {
    head,
    inMemory: (position: number) => (position >= ringFrom && position <= head ? eventAt(position) : undefined),
    read: (after: number) => {
      reads.push(after);
      if (failures-- > 0) return Promise.reject(new Error('the store is away'));
      const positions = Array.from({ length: Math.min(100, head - after) }, (_, i) => after + 1 + i);
      return Promise.resolve(positions.filter((position) => !missing.includes(position)).map(eventAt));
    },
  };
  return { tail: tail as unknown as TopicTail, reads, failNext: () => (failures = 1) };
}

async function readAll(backlog: Backlog, from = 1): Promise<number[]> {
  const positions: number[] = [];
  for (let position = from; ; position = positions.at(-1)! + 1) {
    const event = backlog.at(position) ?? (await backlog.from(position));
    if (!event) return positions;
    positions.push(event.position);
  }
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

it('returns every event once and in order, across pages and the tail', async () => {
  expect(await readAll(new Backlog(tailOf(350, { ringFrom: 250 }).tail))).toEqual(upTo(350));
});

it('reads each page once, the next one before the last is used up', async () => {
  const { tail, reads } = tailOf(300);
  const backlog = new Backlog(tail);
  await backlog.from(1);
  expect(reads).toEqual([0]);
  backlog.at(60);
  expect(reads).toEqual([0, 100]);
  expect(await readAll(backlog)).toEqual(upTo(300));
  expect(reads).toEqual([0, 100, 200, 300]);
});

it('continues at the first event that exists where some are missing', async () => {
  const { tail } = tailOf(250, { missing: [5, 6, 101] });
  const backlog = new Backlog(tail);
  await backlog.from(1);
  expect(backlog.at(5)).toBeUndefined();
  expect(await readAll(backlog)).toEqual(upTo(250).filter((position) => ![5, 6, 101].includes(position)));
});

it('reports a page that could not be read when its events are due, and reads it again', async () => {
  const { tail, failNext } = tailOf(200);
  const backlog = new Backlog(tail);
  await backlog.from(1);
  failNext();
  expect(backlog.at(99)?.position).toBe(99);
  await expect(backlog.from(101)).rejects.toThrow('the store is away');
  expect((await backlog.from(101))?.position).toBe(101);
});
