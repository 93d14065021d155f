import { SystemClock } from '../../kernel/clock.js';
import type { Sql } from '../postgres/database.js';
import type { Pipeline } from '../postgres/pipeline.js';
import type { KnownEnd } from './append-plan.js';
import { UnexpectedLogEnd, type AppendStore } from './append-store.js';
import type { AppendRequest, NewEvent } from './event.js';
import { Flush } from './flush.js';

const END = { position: 4, logBytes: 40, recordedAt: 0, lastId: 'four', streams: new Map() };
const REQUEST: AppendRequest = {
  tenantId: 'acme',
  topicUid: 'log',
  publishedBy: 'usr_test',
  expectedStreamVersion: 'any',
  events: [{ id: 'five', idGiven: true, stream: null, bytes: 2, data: '{}' } as NewEvent],
};

/** A store whose first insert completes when the test says so. */
class FakeStore {
  readonly done: string[] = [];
  readonly answer = Promise.withResolvers<ReadonlySet<string>>();
  private inserts = 0;

  cachedEnds = (): Promise<Map<string, KnownEnd>> => Promise.resolve(new Map([['log', { ...END }]]));
  readEnds = this.cachedEnds;
  hasCached = (): boolean => true;
  readStreams = (): Promise<void> => Promise.resolve();
  readKnown = (): Promise<unknown> => Promise.resolve(new Map());
  forget = (): void => void this.done.push('forgotten');
  advance = (): void => void this.done.push('advanced');
  insert = (): Promise<ReadonlySet<string>> => {
    this.done.push('inserted');
    return this.inserts++ === 0 ? this.answer.promise : Promise.resolve(new Set());
  };
  locked = <T>(_tenantId: string, _uids: readonly string[], work: (sql: Sql) => Promise<T>): Promise<T> => {
    this.done.push('locked');
    return work({} as Sql);
  };
}

let store: FakeStore;
let others: PromiseWithResolvers<void>;
let flush: Flush;
beforeEach(() => {
  store = new FakeStore();
  others = Promise.withResolvers<void>();
  const line = { tenantId: 'acme', pipeline: {} as Pipeline, untilAlone: () => others.promise };
  flush = new Flush(store as unknown as AppendStore, line, [REQUEST], new SystemClock(), false);
});

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

it('may be followed once its statement is sent, and leaves the end as it will be', async () => {
  expect(flush.mayBeFollowed).toBe(false);
  const result = flush.run(0);
  await turnOfTheLoop();
  expect([flush.mayBeFollowed, store.done]).toEqual([true, ['inserted', 'advanced']]);
  store.answer.resolve(new Set());
  expect((await result).outcomes).toMatchObject([{ events: [{ position: 5, duplicate: false }] }]);
  await flush.firstTry;
});

it('tries again, whatever its patience, but only when alone: before that, what it reads may be outdated', async () => {
  const result = flush.run(-1);
  store.answer.reject(new UnexpectedLogEnd(false));
  await flush.firstTry;
  await turnOfTheLoop();
  expect([flush.mayBeFollowed, store.done]).toEqual([false, ['inserted', 'advanced', 'forgotten']]);
  others.resolve();
  await result;
  expect(store.done.slice(3)).toEqual(['locked', 'inserted', 'advanced']);
});
