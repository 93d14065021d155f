import type { EventPage, LogRef, PageRequest, ReadFilter } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, readAll, request, SetClock, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const END = Number.MAX_SAFE_INTEGER;
const positions = ({ events }: EventPage): number[] => events.map(({ position }) => position);

describe('reading a log', () => {
  let store: TestDatabase;
  let instance: Instance;
  let log: LogRef;
  let long: LogRef;
  let empty: LogRef;
  const clock = new SetClock(0);

  const page = (fields: Partial<PageRequest>, from = log): Promise<EventPage> =>
    instance.reader.scan(from, { order: 'asc', after: 0, before: END, limit: 100, ...fields });

  /** A complete filtered read, as callers make it: window by window. */
  const readOn = async (
    order: 'asc' | 'desc',
    filter: ReadFilter,
    from: LogRef,
  ): Promise<{ found: number[]; pages: number }> => {
    const { firstPosition, lastPosition } = (await instance.reader.bounds(from))!;
    const found: number[] = [];
    let [after, before, pages] = [firstPosition - 1, lastPosition + 1, 0];
    for (; after + 1 < before; pages++) {
      const next = await page({ order, after, before, filter, limit: 7 }, from);
      found.push(...positions(next));
      if (order === 'asc') after = next.scannedTo;
      else before = next.scannedTo;
    }
    return { found, pages };
  };

  beforeAll(async () => {
    store = await createTestDatabase();
    instance = await openInstance(store.connection, { clock });
    [log, long, empty] = (await Promise.all([1, 2, 3].map(() => createLog(store.database)))) as [
      LogRef,
      LogRef,
      LogRef,
    ];
    for (let i = 1; i <= 12; i++) {
      clock.time = Math.ceil(i / 2) * 100;
      const fields = {
        type: ['order.created', 'order.paid', 'order%x', 'invoice'][i % 4]!,
        key: i % 3 ? 'k' : null,
        stream: i % 2 ? 's' : 't',
      };
      await instance.appender.append(request(log, [newEvent({ id: `e${i}`, ...fields, data: `{"n":${i}}` })]));
    }
    // 45,000 events are more than two windows of a filtered read; every 9,000th is of another type.
    await store.database.query(
      {
        name: 'test-fill',
        text: `INSERT INTO event (tenant_id, topic_uid, position, log_bytes, recorded_at, event_id, type, published_by, data)
          SELECT $1, $2, n, n, n, n::text, CASE WHEN n % 9000 = 0 THEN 'rare' ELSE 'usual' END, 'u', '1' FROM generate_series(1, 45000) n`,
      },
      [long.tenantId, long.topicUid],
    );
  });
  afterAll(async () => {
    await instance.close();
    await store.drop();
  });

  it('reads forward and backward between two positions, neither included', async () => {
    expect(positions(await page({ after: 3, before: 7 }))).toEqual([4, 5, 6]);
    expect(positions(await page({ order: 'desc', after: 3, before: 7 }))).toEqual([6, 5, 4]);
    expect(positions(await page({ order: 'desc', before: 13, limit: 2 }))).toEqual([12, 11]);
    expect(positions(await page({ after: 12 }))).toEqual([]);
  });

  it.each<[string, ReadFilter, number[]]>([
    ['an exact type', { types: ['order.paid'] }, [1, 5, 9]],
    ['several types', { types: ['order.paid', 'invoice'] }, [1, 3, 5, 7, 9, 11]],
    ['a prefix', { types: ['order.*'] }, [1, 4, 5, 8, 9, 12]],
    ['a prefix whose characters mean something to LIKE', { types: ['order%*'] }, [2, 6, 10]],
    ['any type', { types: ['*'] }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['no type', { types: [] }, []],
    ['a key', { key: 'k' }, [1, 2, 4, 5, 7, 8, 10, 11]],
    ['a stream', { stream: 't' }, [2, 4, 6, 8, 10, 12]],
    ['all at once', { types: ['order.*', 'invoice'], key: 'k', stream: 's' }, [1, 5, 7, 11]],
  ])('keeps what a filter names: %s', async (_, filter, expected) => {
    expect(positions(await page({ filter }))).toEqual(expected);
    expect(positions(await page({ filter, order: 'desc', before: 13 }))).toEqual(expected.toReversed());
  });

  it.each(['asc', 'desc'] as const)(
    'says how far it looked, so that nothing is skipped or seen twice (%s)',
    async (order) => {
      const rare = [9_000, 18_000, 27_000, 36_000, 45_000];
      const inOrder = order === 'asc' ? rare : rare.toReversed();
      expect(await readOn(order, { types: ['rare'] }, long)).toEqual({ found: inOrder, pages: 3 });
      expect(await readOn(order, { key: 'nobody' }, long)).toEqual({ found: [], pages: 3 });
      const all = await readOn(order, {}, log);
      expect(all.found).toEqual(
        order === 'asc' ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] : [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
      );
    },
  );

  it('ends a page at about 4 MiB, with at least one event in it', async () => {
    const own = await createLog(store.database);
    for (const mebibytes of [5, 2, 1, 2, 1]) {
      const data = `"${'é'.repeat((mebibytes * 1024 * 1024) / 2)}"`;
      await instance.appender.append(request(own, [newEvent({ data, stream: 's' })]));
    }
    for (const order of ['asc', 'desc'] as const) {
      const { found } = await readOn(order, {}, own);
      expect(found.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    }
    expect(positions(await page({ limit: 10 }, own))).toEqual([1]);
    expect(positions(await page({ after: 1, limit: 10 }, own))).toEqual([2, 3, 4]);
    expect((await instance.reader.follow(own, 0, 10)).length).toBeLessThan(4);
    const ofStream = async (after: number) =>
      (await instance.reader.stream(own, 's', after, 10)).map(({ position }) => position);
    expect([await ofStream(0), await ofStream(1)]).toEqual([[1], [2, 3, 4]]);
    expect((await readAll(instance.reader, own)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  });

  it('shows nothing of a deleted log while its events are removed in batches: the rest would look like all there is', async () => {
    const own = await createLog(store.database);
    await instance.appender.append(request(own, [newEvent({ stream: 's' }), newEvent({ stream: 's' })]));
    const remove = { name: '', text: 'DELETE FROM topic_head WHERE tenant_id = $1 AND topic_uid = $2' };
    await store.database.query(remove, [own.tenantId, own.topicUid]);
    for (const order of ['asc', 'desc'] as const)
      await expect(page({ order }, own)).rejects.toMatchObject({ code: 'log-gone' });
    await expect(instance.reader.stream(own, 's', 0, 3)).rejects.toMatchObject({ code: 'log-gone' });
    expect(await instance.reader.follow(own, 0, 3)).toEqual([]);
  });

  it('follows from any position, with the requested number of events', async () => {
    const from = async (after: number, limit: number) =>
      (await instance.reader.follow(log, after, limit)).map(({ id }) => id);
    expect(await from(0, 2)).toEqual(['e1', 'e2']);
    expect(await from(10, 5)).toEqual(['e11', 'e12']);
    expect(await from(12, 5)).toEqual([]);
    expect((await instance.reader.at(log, 5))?.id).toBe('e5');
    expect(await instance.reader.at(log, 13)).toBeUndefined();
  });

  it('finds one event by its id, in its own topic only', async () => {
    expect((await instance.reader.byId(log, 'e7'))?.position).toBe(7);
    expect(await instance.reader.byId(log, 'e13')).toBeUndefined();
    expect(await instance.reader.byId(empty, 'e7')).toBeUndefined();
    expect(await instance.reader.byId({ ...log, tenantId: 'other' }, 'e7')).toBeUndefined();
  });

  it('reads one stream in order of its versions', async () => {
    const stream = await instance.reader.stream(log, 't', 2, 3);
    expect(stream.map(({ position, streamVersion }) => [position, streamVersion])).toEqual([
      [6, 3],
      [8, 4],
      [10, 5],
    ]);
    expect(await instance.reader.stream(log, 'none', 0, 3)).toEqual([]);
  });

  it('returns first and last position, count and bytes, also for an empty and a missing log', async () => {
    expect(await instance.reader.bounds(log)).toEqual({
      firstPosition: 1,
      lastPosition: 12,
      eventCount: 12,
      bytes: 87,
    });
    expect(await instance.reader.bounds(empty)).toEqual({ firstPosition: 1, lastPosition: 0, eventCount: 0, bytes: 0 });
    expect(await instance.reader.bounds({ ...log, tenantId: 'other' })).toBeUndefined();
    const heads = await instance.reader.heads(log.tenantId, [log.topicUid, empty.topicUid, crypto.randomUUID()]);
    expect(heads).toEqual(
      new Map([
        [log.topicUid, 12],
        [empty.topicUid, 0],
      ]),
    );
  });

  it('counts the bytes of a log whose beginning was removed from its first event on', async () => {
    const own = await createLog(store.database);
    const sizes = ['1', '"22"', '"333"', '4'].map((data) => newEvent({ data, metadata: '{"m":1}' }));
    await instance.appender.append(request(own, sizes));
    await store.database.query(
      { name: 'test-trim', text: 'DELETE FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND position < 3' },
      [own.tenantId, own.topicUid],
    );
    const bytes = sizes[2]!.bytes + sizes[3]!.bytes;
    expect(await instance.reader.bounds(own)).toEqual({ firstPosition: 3, lastPosition: 4, eventCount: 2, bytes });
    expect(await instance.reader.positionBefore(own, 0)).toBe(2);
  });

  it.each([
    [0, 0],
    [100, 0],
    [101, 2],
    [300, 4],
    [350, 6],
    [600, 10],
    [601, 12],
  ])('finds the place of a time: before %d ms lie %d events', async (time, position) => {
    expect(await instance.reader.positionBefore(log, time)).toBe(position);
  });

  it('finds the place of a time in a long log and in an empty one', async () => {
    expect(await instance.reader.positionBefore(long, 31_416)).toBe(31_415);
    expect(await instance.reader.positionBefore(empty, 1)).toBe(0);
    expect(await instance.reader.positionBefore({ ...log, tenantId: 'other' }, 1)).toBe(0);
  });
});
