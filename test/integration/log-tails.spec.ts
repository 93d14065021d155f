import type { LogRef, StoredEvent, TopicTail } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, request, type Instance } from '../support/server/log.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const NEVER = new AbortController().signal;
const positions = (events: readonly StoredEvent[]): number[] => events.map(({ position }) => position);

describe('the tail of a log', () => {
  let store: TestDatabase;
  let one: Instance;
  let two: Instance;
  let log: LogRef;
  let tail: TopicTail;

  beforeAll(async () => {
    store = await createTestDatabase();
    one = await openInstance(store.connection, { pollMs: 60_000 });
    two = await openInstance(store.connection, { pollMs: 60_000 });
  });
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await store.drop();
  });
  beforeEach(async () => {
    log = await createLog(one.database);
    tail = await one.tails.follow(log);
  });
  afterEach(() => one.tails.unfollow(tail));

  const append = (instance: Instance, count: number, to = log): Promise<unknown> =>
    instance.appender.append(
      request(
        to,
        Array.from({ length: count }, () => newEvent()),
      ),
    );

  it('shows what this process stored from memory, before the publisher gets its response', async () => {
    const beyond = tail.waitBeyond(0, NEVER);
    await append(one, 3);
    await beyond;
    expect(tail.head).toBe(3);
    expect(tail.inMemory(2)).toBe((await tail.read(1))[0]);
    expect(positions(await tail.read(0))).toEqual([1, 2, 3]);
    expect(await tail.read(3)).toEqual([]);
  });

  it('learns of what another instance stored, without a poll', async () => {
    const beyond = tail.waitBeyond(0, NEVER);
    await append(two, 2);
    await beyond;
    expect(positions(await tail.read(0))).toEqual([1, 2]);
  });

  it('reads beyond its memory if another instance has stored more', async () => {
    await append(one, 2);
    const beyond = tail.waitBeyond(2, NEVER);
    await append(two, 2);
    await beyond;
    expect(positions(await tail.read(2))).toEqual([3, 4]);
    expect(positions(await tail.read(0))).toEqual([1, 2]);
    expect(tail.inMemory(3)).toBeUndefined();
  });

  it('has no gaps when both instances take turns', async () => {
    for (let turn = 1; turn <= 6; turn++) {
      await append(turn % 2 ? one : two, 2);
      await tail.waitBeyond(turn * 2 - 1, NEVER);
      for (let after = 0; after < turn * 2; after++) {
        const [first] = await tail.read(after);
        expect(first?.position).toBe(after + 1);
        expect(tail.inMemory(after + 1)?.position ?? after + 1).toBe(after + 1);
      }
    }
  });

  it('learns by a poll of events without a hint', async () => {
    const silent = await openInstance(store.connection, { shared: false });
    await append(silent, 2);
    await silent.close();
    expect(tail.head).toBe(0);
    await one.tails.poll();
    expect(tail.head).toBe(2);
  });

  it('looks for itself after the connection that brings hints was lost', async () => {
    const silent = await openInstance(store.connection, { shared: false });
    await append(silent, 1);
    await silent.close();
    const admin = await connect(store.connection);
    const beyond = tail.waitBeyond(0, NEVER);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'event-store hints'`);
    await admin.end();
    await beyond;
    const again = tail.waitBeyond(1, NEVER);
    await append(two, 1);
    await again;
    expect(positions(await tail.read(0))).toEqual([1, 2]);
  });

  it('reads a page once for all who ask for it at the same time', async () => {
    await append(two, 3);
    await tail.waitBeyond(2, NEVER);
    const [page, same] = await Promise.all([tail.read(0), tail.read(0)]);
    expect(page).toBe(same);
  });

  it('knows the end of a log that is older than its follower', async () => {
    await append(two, 5);
    const late = await two.tails.follow(log);
    expect(late.head).toBe(5);
    await late.waitBeyond(4, NEVER);
    two.tails.unfollow(late);
  });

  it('lets a follower wait when its log is deleted, instead of asking forever', async () => {
    await append(two, 3);
    await tail.waitBeyond(2, NEVER);
    for (const table of ['topic_head', 'event']) {
      const text = `DELETE FROM ${table} WHERE tenant_id = $1 AND topic_uid = $2`;
      await store.database.query({ name: `test-delete-${table}`, text }, [log.tenantId, log.topicUid]);
    }
    expect(await tail.read(1)).toEqual([]);
    expect(tail.head).toBe(1);
    await one.tails.poll();
    expect(await tail.read(1)).toEqual([]);
    expect(tail.head).toBe(1);
  });

  it('ends a wait when its signal fires, and leaves no trace of it', async () => {
    const stop = new AbortController();
    const waiting = tail.waitBeyond(0, stop.signal);
    stop.abort();
    await waiting;
    await tail.waitBeyond(0, stop.signal);
    await append(one, 1);
    expect(tail.head).toBe(1);
  });

  it('frees memory beyond the budget of all tails, and continues from the store', async () => {
    const tight = await openInstance(store.connection, { cacheBytesMax: 10_000 });
    const own = await tight.tails.follow(log);
    await append(tight, 200);
    expect(own.inMemory(200)).toBeUndefined();
    expect(positions(await own.read(198))).toEqual([199, 200]);
    await tight.close();
  });
});
