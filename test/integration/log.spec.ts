import { DomainError } from '../../src/kernel/domain-error.js';
import type { LogRef } from '../../src/platform/event-log/index.js';
import {
  createLog,
  dropLog,
  newEvent,
  openInstance,
  readAll,
  request,
  SetClock,
  type Instance,
} from '../support/server/log.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const refusal = async (append: Promise<unknown>): Promise<DomainError> => {
  const error: unknown = await append.then(
    () => new Error('was accepted'),
    (failure: unknown) => failure,
  );
  if (error instanceof DomainError) return error;
  throw error;
};

describe('the log', () => {
  let store: TestDatabase;
  let one: Instance;
  let two: Instance;
  let log: LogRef;
  const clock = new SetClock(1_000);

  beforeAll(async () => {
    store = await createTestDatabase();
    one = await openInstance(store.connection, { clock });
    two = await openInstance(store.connection, { clock });
  });
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await store.drop();
  });
  beforeEach(async () => {
    log = await createLog(one.database);
  });

  it.each([
    ['long integers and decimals', '{"id":123456789012345678,"price":1.0,"big":1e400,"small":-0.0}'],
    ['the order of keys, and keys that come twice', '{"b":1,"a":2,"b":3,"__proto__":{"x":1}}'],
    ['white space', ' { "a" :\t[ 1 , 2 ]\r\n} '],
    ['escapes of control characters', String.raw`{"s":"\u0000\u001e\u001f\n\t\"\\","r":"\ud800"}`],
    ['depth', `${'['.repeat(128)}${']'.repeat(128)}`],
    ['Unicode beyond the basic plane', '{"name":"Ωmega 🛒 \u202e é","\u00a0":"ﷺ"}'],
    ['what looks like array and copy syntax', String.raw`"{NULL,\\N,'$1',\\.}"`],
    ['single values', 'null'],
    ['an empty text', '""'],
  ])('keeps data byte for byte: %s', async (_, data) => {
    await one.appender.append(
      request(log, [newEvent({ id: 'whole', data }), newEvent({ data: 'true' }), newEvent({ data })]),
    );
    const stored = await readAll(two.reader, log);
    expect(stored.map((event) => event.data)).toEqual([data, 'true', data]);
    expect((await two.reader.byId(log, 'whole'))?.data).toBe(data);
  });

  it('keeps every field, and whether there is one, event by event', async () => {
    const full = {
      key: 'customer "7", NULL',
      stream: 'order-{1}',
      occurredAt: 1_700_000_000_123,
      schemaVersion: 3,
      correlationId: 'corr-1',
      causationId: 'evt_0',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
      metadata: '{"source":"a,b","n":1e2}',
    };
    const names = Object.keys(full) as (keyof typeof full)[];
    const mixed = names.map((name) => newEvent({ type: `only.${name}`, [name]: full[name] }));
    const events = [newEvent(full), newEvent(full), ...mixed, newEvent()];
    // Alone, then with others: a flush of one event has a statement of its own.
    for (const flush of [events.slice(0, 1), events.slice(1)])
      await one.appender.append(request(log, flush, { publishedBy: 'key_1' }));
    const stored = await readAll(two.reader, log);
    stored.forEach(({ position, streamVersion, recordedAt, publishedBy, logBytes, ...rest }, i) => {
      const { idGiven, bytes, ...sent } = events[i]!;
      expect([idGiven, bytes > 0]).toEqual([false, true]);
      expect(rest).toEqual(sent);
      expect({ position, recordedAt, publishedBy }).toEqual({
        position: i + 1,
        recordedAt: 1_000,
        publishedBy: 'key_1',
      });
      expect(streamVersion).toBe(
        sent.stream === null ? null : stored.slice(0, i + 1).filter((event) => event.stream).length,
      );
      expect(logBytes).toBe(events.slice(0, i + 1).reduce((sum, event) => sum + event.bytes, 0));
    });
    expect(stored).toHaveLength(events.length);
  });

  it('gives each topic of one flush its own dense positions', async () => {
    const logs = [log, await createLog(one.database), await createLog(one.database)];
    const results = await Promise.all(
      Array.from({ length: 9 }, (_, i) => one.appender.append(request(logs[i % 3]!, [newEvent(), newEvent()]))),
    );
    results.forEach(({ events }, i) => {
      const first = Math.floor(i / 3) * 2 + 1;
      expect(events.map(({ position }) => position)).toEqual([first, first + 1]);
    });
    for (const own of logs)
      expect((await readAll(two.reader, own)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('returns the first position of a repeated event, from whichever instance, also in the middle of others', async () => {
    const event = newEvent({ id: 'once', stream: 's' });
    const [first, again] = await Promise.all([1, 2].map(() => one.appender.append(request(log, [event]))));
    expect(first!.events).toEqual([{ id: 'once', position: 1, streamVersion: 1, duplicate: false }]);
    expect(again!.events).toEqual([{ id: 'once', position: 1, streamVersion: 1, duplicate: true }]);
    const { events } = await two.appender.append(request(log, [newEvent({ stream: 's' }), event, newEvent()]));
    expect(events.map(({ position, duplicate }) => [position, duplicate])).toEqual([
      [2, false],
      [1, true],
      [3, false],
    ]);
    expect(await readAll(one.reader, log)).toHaveLength(3);
  });

  it('refuses an id that is used for other content, and no other request of the flush', async () => {
    await one.appender.append(request(log, [newEvent({ id: 'taken', data: '{"n":1}' })]));
    const [good, bad, alsoGood] = [
      two.appender.append(request(log, [newEvent({ id: 'fine-1' })])),
      two.appender.append(request(log, [newEvent({ id: 'lost' }), newEvent({ id: 'taken', data: '{"n":2}' })])),
      two.appender.append(request(log, [newEvent({ id: 'fine-2' })])),
    ];
    expect(await refusal(bad)).toMatchObject({
      code: 'event-id-conflict',
      kind: 'conflict',
      extensions: { eventId: 'taken' },
    });
    await Promise.all([good, alsoGood]);
    expect((await readAll(one.reader, log)).map(({ id }) => id)).toEqual(['taken', 'fine-1', 'fine-2']);
  });

  it('stores an append only if its stream has the expected version', async () => {
    const to = (expectedStreamVersion: number, instance = one) =>
      instance.appender.append(
        request(log, [newEvent({ stream: 's' }), newEvent({ stream: 's' })], { expectedStreamVersion }),
      );
    expect((await to(0)).events.map(({ streamVersion }) => streamVersion)).toEqual([1, 2]);
    expect(await refusal(to(0))).toMatchObject({ code: 'stream-version-conflict', extensions: { actualVersion: 2 } });
    expect((await to(2, two)).events.map(({ streamVersion }) => streamVersion)).toEqual([3, 4]);
    expect(await refusal(to(2))).toMatchObject({ extensions: { expectedVersion: 2, actualVersion: 4 } });
    expect((await to(4)).events.map(({ position }) => position)).toEqual([5, 6]);
    expect(await one.reader.streamVersion(log, 's')).toBe(6);
    expect(await one.reader.streamVersion(log, 'none')).toBe(0);
  });

  it('lets one win of many appends that expect the same version, over both instances', async () => {
    const tries = Array.from({ length: 20 }, (_, i) =>
      [one, two][i % 2]!.appender.append(request(log, [newEvent({ stream: 's' })], { expectedStreamVersion: 0 })),
    );
    const settled = await Promise.allSettled(tries);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const codes = settled.flatMap((result) =>
      result.status === 'rejected' ? [(result.reason as DomainError).code] : [],
    );
    expect(codes).toEqual(Array.from({ length: 19 }, () => 'stream-version-conflict'));
    expect(await readAll(one.reader, log)).toHaveLength(1);
  });

  it('returns the first result for a repeated conditional append, though the stream has moved on', async () => {
    const first = request(log, [newEvent({ id: 'a', stream: 's' }), newEvent({ id: 'b', stream: 's' })], {
      expectedStreamVersion: 0,
    });
    await one.appender.append(first);
    await one.appender.append(request(log, [newEvent({ stream: 's' })]));
    for (const { appender } of [one, two]) {
      const { events } = await appender.append(first);
      expect(events.map(({ position, duplicate }) => [position, duplicate])).toEqual([
        [1, true],
        [2, true],
      ]);
    }
  });

  it('refuses appends to a deleted topic, also a cached one, and stores the rest of the flush', async () => {
    const gone = await createLog(one.database);
    await Promise.all([gone, log].map((own) => one.appender.append(request(own, [newEvent()]))));
    await dropLog(one.database, gone);
    const [lost, kept] = [gone, log].map((own) => one.appender.append(request(own, [newEvent(), newEvent()])));
    expect(await refusal(lost!)).toMatchObject({ code: 'log-gone', kind: 'not-found' });
    expect((await kept!).events.map(({ position }) => position)).toEqual([2, 3]);
    expect(await refusal(two.appender.append(request(gone, [newEvent()])))).toMatchObject({ code: 'log-gone' });
    // Readers show nothing of a deleted log; its rows stay until they are swept.
    expect(await readAll(one.reader, gone)).toEqual([]);
    const rows = 'SELECT position FROM event WHERE tenant_id = $1 AND topic_uid = $2';
    expect(await one.database.query({ name: '', text: rows }, [gone.tenantId, gone.topicUid])).toEqual([
      { position: 1 },
    ]);
  });

  it('leaves no gap in the log of a store that was restored behind it, and stores the rest of the flush once', async () => {
    const kept = await createLog(one.database);
    await one.appender.append(request(kept, [newEvent()]));
    await one.appender.append(request(log, [newEvent(), newEvent({ stream: 's' }), newEvent({ stream: 's' })]));
    await one.database.query(
      { name: 'test-restore', text: 'DELETE FROM event WHERE tenant_id = $1 AND topic_uid = $2 AND position > 1' },
      [log.tenantId, log.topicUid],
    );
    const both = [log, kept].map((own) => one.appender.append(request(own, [newEvent({ stream: 's' })])));
    const answers = (await Promise.all(both)).map(({ events }) => events[0]!);
    expect(answers).toMatchObject([
      { position: 2, streamVersion: 1, duplicate: false },
      { position: 2, streamVersion: 1, duplicate: false },
    ]);
    for (const own of [log, kept]) expect((await readAll(two.reader, own)).map((e) => e.position)).toEqual([1, 2]);
  });

  it('serves more tenants at once than it has connections, without one waiting for the end of another', async () => {
    const logs = await Promise.all(Array.from({ length: 24 }, (_, i) => createLog(one.database, `tenant-${i}`)));
    for (let round = 1; round <= 20; round++) {
      const answers = await Promise.all(logs.map((own) => one.appender.append(request(own, [newEvent()]))));
      expect(answers.map(({ events }) => events[0]!.position)).toEqual(logs.map(() => round));
    }
  });

  it('never lets recorded time go back, whatever the clock does', async () => {
    for (const time of [5_000, 4_000, 6_000, 100]) {
      clock.time = time;
      await [one, two][time % 3 === 0 ? 0 : 1]!.appender.append(request(log, [newEvent()]));
    }
    clock.time = 1_000;
    expect((await readAll(one.reader, log)).map(({ recordedAt }) => recordedAt)).toEqual([5_000, 5_000, 6_000, 6_000]);
  });

  it('refuses appends that do not fit into the queue, and accepts more once it has room', async () => {
    const small = await openInstance(store.connection, { queueEventsMax: 5, queueBytesMax: 1_000 });
    const first = small.appender.append(request(log, [newEvent(), newEvent(), newEvent(), newEvent()]));
    expect(small.appender.depth).toBe(4);
    const tooMany = small.appender.append(request(log, [newEvent(), newEvent()]));
    const tooLarge = small.appender.append(request(log, [newEvent({ data: `"${'x'.repeat(1_000)}"` })]));
    for (const refused of [tooMany, tooLarge]) {
      expect(await refusal(refused)).toMatchObject({
        code: 'publish-queue-full',
        kind: 'throttled',
        extensions: { retryAfterSeconds: 1 },
      });
    }
    await first;
    await small.appender.append(request(log, [newEvent({ data: `"${'x'.repeat(1_000)}"` })]));
    await small.close();
    expect(await readAll(one.reader, log)).toHaveLength(5);
    expect(small.appender.depth).toBe(0);
  });

  it('stays exact on a server whose default isolation is stricter', async () => {
    const admin = await connect(store.connection);
    const { rows } = await admin.query<{ name: string }>('SELECT current_database() AS name');
    await admin.query(`ALTER DATABASE ${rows[0]!.name} SET default_transaction_isolation = 'repeatable read'`);
    const strict = await Promise.all([openInstance(store.connection), openInstance(store.connection)]);
    await admin.query(`ALTER DATABASE ${rows[0]!.name} RESET default_transaction_isolation`);
    await admin.end();
    const appends = Array.from({ length: 60 }, (_, i) => strict[i % 2]!.appender.append(request(log, [newEvent()])));
    await Promise.all(appends);
    await Promise.all(strict.map((instance) => instance.close()));
    expect((await readAll(one.reader, log)).map(({ position }) => position)).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
  });
});
