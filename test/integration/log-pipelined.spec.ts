import type { Client } from 'pg';
import type { LogRef } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, readAll, request, type Instance } from '../support/log.js';
import { LossyConnection } from '../support/lossy-connection.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/postgres.js';

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a flush that is sent behind another', () => {
  let store: TestDatabase;
  let network: LossyConnection;
  let instance: Instance;
  let holder: Client;
  let log: LogRef;

  beforeAll(async () => {
    store = await createTestDatabase();
    network = new LossyConnection(store.connection);
    instance = await openInstance(network.config, { shared: false });
    holder = await connect(store.connection);
  });
  afterAll(async () => {
    await Promise.all([instance.close(), holder.end()]);
    await store.drop();
  });
  beforeEach(async () => {
    log = await createLog(store.database);
    // From here on the end of the log and of its stream are known: an append is one statement.
    await instance.appender.append(request(log, [newEvent({ id: 'warm', stream: 's' })]));
    network.sent.length = 0;
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM topic_head WHERE topic_uid = $1 FOR NO KEY UPDATE', [log.topicUid]);
  });

  const append = (id: string, fields: { stream?: string; expectedStreamVersion?: number } = {}, to = log) => {
    const { stream = 's', expectedStreamVersion = 'any' } = fields;
    const answer = instance.appender.append(request(to, [newEvent({ id, stream })], { expectedStreamVersion }));
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
  /** Sends one that waits for the head of the log, and those others behind it. */
  const inLine = async (appends: readonly (() => Promise<unknown>)[]): Promise<Promise<unknown>[]> => {
    const answers: Promise<unknown>[] = [];
    for (const send of appends) {
      answers.push(send());
      await turnOfTheLoop();
      while ((await waiting()) === 0);
    }
    return answers;
  };
  /** A rival's event right behind the last one. */
  const storeRival = (id: string): Promise<unknown> =>
    holder.query(
      `INSERT INTO event (tenant_id, topic_uid, position, log_bytes, recorded_at, event_id, type, published_by, data, stream, stream_version)
       SELECT tenant_id, topic_uid, position + 1, log_bytes + 7, recorded_at, $2, type, published_by, data, stream, stream_version + 1
       FROM event WHERE topic_uid = $1 ORDER BY position DESC LIMIT 1`,
      [log.topicUid, id],
    );
  const stored = async () => (await readAll(instance.reader, log)).map((e) => [e.id, e.position, e.streamVersion]);

  it('is at the store before the first is answered, and runs when that is stored', async () => {
    const answers = await inLine([() => append('one'), () => append('two')]);
    expect(network.sent.some((text) => text.includes('two'))).toBe(true);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ position: 2 }, { position: 3 }]);
  });

  it('takes a place of its own where the first turns out to be a repetition', async () => {
    const answers = await inLine([() => append('warm'), () => append('two')]);
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

  it('does not follow on an event that a rival put where the first was to be', async () => {
    const answers = await inLine([() => append('one'), () => append('two')]);
    await storeRival('rival');
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ position: 3 }, { position: 4 }]);
    expect(await stored()).toEqual([
      ['warm', 1, 1],
      ['rival', 2, 2],
      ['one', 3, 3],
      ['two', 4, 4],
    ]);
    const bytes = (await readAll(instance.reader, log)).map(({ logBytes }) => logBytes);
    expect(bytes[3]! - bytes[2]!).toBe(bytes[2]! - bytes[1]!);
  });

  it('is refused where it expects what the first would have stored, and did not', async () => {
    const answers = await inLine([() => append('warm'), () => append('two', { expectedStreamVersion: 2 })]);
    await holder.query('COMMIT');
    expect(await answers[1]).toMatchObject({ code: 'stream-version-conflict', extensions: { actualVersion: 1 } });
    expect(await stored()).toEqual([['warm', 1, 1]]);
  });

  it('is stored where it expects what the first has stored', async () => {
    const answers = await inLine([() => append('one'), () => append('two', { expectedStreamVersion: 2 })]);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ streamVersion: 2 }, { streamVersion: 3 }]);
  });

  it('stores another topic, though the first is refused', async () => {
    const other = await createLog(store.database);
    const answers = await inLine([() => append('warm'), () => append('elsewhere', {}, other)]);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ duplicate: true }, { position: 1, duplicate: false }]);
  });

  it('is stored once, after the first, when their connection breaks', async () => {
    const answers = await inLine([() => append('one'), () => append('two')]);
    network.cutAll();
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([{ duplicate: false }, { duplicate: false }]);
    expect(await stored()).toEqual([
      ['warm', 1, 1],
      ['one', 2, 2],
      ['two', 3, 3],
    ]);
  });

  it('is stored once when the server has stored both and their answers are lost', async () => {
    const answers = await inLine([() => append('one'), () => append('two')]);
    network.loseNextReply();
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([
      { position: 2, duplicate: false },
      { position: 3, duplicate: false },
    ]);
    expect(await stored()).toHaveLength(3);
  });

  it('leaves what comes later waiting: two are under way at most', async () => {
    const answers = await inLine([() => append('one'), () => append('two'), () => append('three')]);
    expect(network.sent.some((text) => text.includes('three'))).toBe(false);
    await holder.query('COMMIT');
    expect(await Promise.all(answers)).toMatchObject([2, 3, 4].map((position) => ({ position })));
  });
});
