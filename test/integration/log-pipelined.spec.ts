import type { Client } from 'pg';
import type { LogRef } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, readAll, request, type Instance } from '../support/server/log.js';
import { LossyConnection } from '../support/faults/lossy-connection.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

interface Fields {
  readonly expectedStreamVersion?: number | 'any';
}

describe('a flush that is sent behind another', () => {
  let store: TestDatabase;
  let network: LossyConnection;
  let instance: Instance;
  let holder: Client;
  let log: LogRef;
  let tenants = 0;

  beforeAll(async () => {
    store = await createTestDatabase();
    network = new LossyConnection(store.connection);
    instance = await openInstance(network.config, { shared: false, followEventsMin: 1 });
    holder = await connect(store.connection);
  });
  afterAll(async () => {
    await Promise.all([instance.close(), holder.end()]);
    await store.drop();
  });
  beforeEach(async () => {
    // After meeting a rival a tenant's flushes lock first for a second, and are not followed: each test has its own tenant.
    log = await createLog(store.database, `tenant-${tenants++}`);
    // From here on the end of the log and of its stream are known: an append is one statement.
    await instance.appender.append(request(log, [newEvent({ id: 'warm', stream: 's' })]));
    network.sent.length = 0;
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM topic_head WHERE topic_uid = $1 FOR NO KEY UPDATE', [log.topicUid]);
  });

  const append = (id: string, { expectedStreamVersion = 'any' }: Fields = {}, to = log): Promise<unknown> => {
    const answer = instance.appender.append(request(to, [newEvent({ id, stream: 's' })], { expectedStreamVersion }));
    return answer.then(
      ({ events }) => events[0]!,
      (error: unknown) => error,
    );
  };
  const waiting = async (): Promise<number> => {
    const { rows } = await holder.query<{ count: number }>(`SELECT count(*)::int FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'event-store append' AND wait_event_type = 'Lock'`);
    return rows[0]!.count;
  };
  const sent = (id: string): boolean => network.sent.some((text) => text.includes(id));
  /** Sends a flush that waits for the head of the log, and another behind it. */
  const inLine = async (first: [string, Fields?], second: [string, Fields?, LogRef?]): Promise<Promise<unknown>[]> => {
    const one = append(...first);
    while ((await waiting()) === 0) await turnOfTheLoop();
    const two = append(...second);
    await turnOfTheLoop();
    expect([sent(first[0]), sent(second[0])]).toEqual([true, true]);
    return [one, two];
  };
  /** A rival's event right behind the last one. */
  const storeRival = (id: string, data = '{"n":1}'): Promise<unknown> =>
    holder.query(
      `INSERT INTO event (tenant_id, topic_uid, position, log_bytes, recorded_at, event_id, type, published_by, data, stream, stream_version)
       SELECT tenant_id, topic_uid, position + 1, log_bytes + length($3), recorded_at, $2, type, published_by, $3, stream, stream_version + 1
       FROM event WHERE topic_uid = $1 ORDER BY position DESC LIMIT 1`,
      [log.topicUid, id, data],
    );
  const stored = async () => (await readAll(instance.reader, log)).map((e) => [e.id, e.position, e.streamVersion]);

  const bytes = async (): Promise<number[]> => {
    const sums = (await readAll(instance.reader, log)).map(({ logBytes }) => logBytes);
    return sums.map((sum, i) => sum - (sums[i - 1] ?? 0));
  };

  it('is at the store before the first has its result, and runs when that is stored', async () => {
    const answers = await inLine(['one'], ['two']);
    expect(await waiting()).toBe(1);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ position: 2 }, { position: 3 }]);
  });

  it('gets a place of its own if the first turns out to be a repetition', async () => {
    const answers = await inLine(['warm'], ['two']);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([
      { position: 1, streamVersion: 1, duplicate: true },
      { position: 2, streamVersion: 2, duplicate: false },
    ]);
    expect(await stored()).toEqual([
      ['warm', 1, 1],
      ['two', 2, 2],
    ]);
  });

  it('does not follow an event that a rival put in the place of the first', async () => {
    const answers = await inLine(['one'], ['two']);
    await storeRival('rival');
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ position: 3 }, { position: 4 }]);
    expect(await stored()).toEqual([
      ['warm', 1, 1],
      ['rival', 2, 2],
      ['one', 3, 3],
      ['two', 4, 4],
    ]);
    expect(await bytes()).toEqual([7, 7, 7, 7]);
  });

  it('does not follow the event of a rival with the same id', async () => {
    const answers = await inLine(['one'], ['two']);
    await storeRival('one', '{"n":100}');
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([
      { code: 'event-id-conflict' },
      { position: 3, streamVersion: 3 },
    ]);
    expect(await bytes()).toEqual([7, 9, 7]);
  });

  it('is a repetition of the first if that is stored after a rival', async () => {
    const answers = await inLine(['one'], ['one']);
    await storeRival('rival');
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([
      { position: 3, duplicate: false },
      { position: 3, duplicate: true },
    ]);
  });

  it('is refused if it expects what the first should have stored, and did not', async () => {
    const answers = await inLine(['warm'], ['two', { expectedStreamVersion: 2 }]);
    await holder.query('COMMIT');
    expect(await answers[1]).toMatchObject({ code: 'stream-version-conflict', extensions: { actualVersion: 1 } });
    expect(await stored()).toEqual([['warm', 1, 1]]);
  });

  it('is stored if it expects what the first has stored', async () => {
    const answers = await inLine(['one'], ['two', { expectedStreamVersion: 2 }]);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ streamVersion: 2 }, { streamVersion: 3 }]);
  });

  it('stores another topic, though the first is refused', async () => {
    const other = await createLog(store.database, log.tenantId);
    await append('first', {}, other);
    const answers = await inLine(['warm'], ['elsewhere', {}, other]);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ duplicate: true }, { position: 2, duplicate: false }]);
  });

  it('is refused with the first if the topic was deleted', async () => {
    const answers = await inLine(['one'], ['two']);
    await holder.query('DELETE FROM topic_head WHERE topic_uid = $1', [log.topicUid]);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ code: 'log-gone' }, { code: 'log-gone' }]);
  });

  it('is stored once, after the first, when their connection breaks', async () => {
    const answers = await inLine(['one'], ['two']);
    network.cutAll();
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ duplicate: false }, { duplicate: false }]);
    expect(await stored()).toEqual([
      ['warm', 1, 1],
      ['one', 2, 2],
      ['two', 3, 3],
    ]);
  });

  it('is stored once, after the first, when the reply to that is lost', async () => {
    const answers = await inLine(['one'], ['two']);
    network.losses = 0;
    network.loseNextReply();
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([
      { position: 2, duplicate: false },
      { position: 3, duplicate: false },
    ]);
    expect([network.losses, (await stored()).length]).toEqual([1, 3]);
  });

  it('is awaited with the first when the instance stops', async () => {
    const answers = await inLine(['one'], ['two']);
    const settled = instance.appender.settled().then(() => instance.appender.depth);
    await holder.query('COMMIT');
    expect([await settled, ...(await Promise.all(answers))]).toMatchObject([0, { position: 2 }, { position: 3 }]);
  });

  it('leaves later requests waiting: at most two are in progress', async () => {
    const answers = await inLine(['one'], ['two']);
    const three = append('three');
    await turnOfTheLoop();
    expect(sent('three')).toBe(false);
    await holder.query('COMMIT');
    expect(await Promise.all([...answers, three])).toMatchObject([2, 3, 4].map((position) => ({ position })));
  });
});
