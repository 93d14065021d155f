import type { LogRef } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, readAll, request, type Instance } from '../support/server/log.js';
import { LossyConnection } from '../support/faults/lossy-connection.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

describe('an append whose connection breaks', () => {
  let store: TestDatabase;
  let network: LossyConnection;
  let instance: Instance;
  let other: Instance;
  let log: LogRef;

  beforeAll(async () => {
    store = await createTestDatabase();
    network = new LossyConnection(store.connection);
    instance = await openInstance(network.config, { shared: false, pollMs: 60_000 });
    other = await openInstance(store.connection, { shared: false });
  });
  afterAll(async () => {
    await Promise.all([instance.close(), other.close()]);
    await store.drop();
  });
  beforeEach(async () => {
    log = await createLog(store.database);
    // From here on the end of the log and of its stream are known: an append is one statement.
    await instance.appender.append(request(log, [newEvent({ id: 'warm', stream: 's' })]));
    network.losses = 0;
  });

  const ids = async (): Promise<string[]> => (await readAll(other.reader, log)).map(({ id }) => id);

  it.each(['loseNextReply', 'loseNextRequest'] as const)(
    'is stored once and answered as new, with given and with generated ids (%s)',
    async (loss) => {
      const generated = newEvent({ stream: 's' });
      network[loss]();
      const { events } = await instance.appender.append(
        request(log, [newEvent({ id: 'given', stream: 's' }), generated]),
      );
      expect(network.losses).toBe(1);
      expect(events).toEqual([
        { id: 'given', position: 2, streamVersion: 2, duplicate: false },
        { id: generated.id, position: 3, streamVersion: 3, duplicate: false },
      ]);
      expect(await ids()).toEqual(['warm', 'given', generated.id]);
    },
  );

  it('keeps its expected version: the retry does not conflict with what the lost try stored', async () => {
    network.loseNextReply();
    const conditional = request(log, [newEvent({ stream: 's' })], { expectedStreamVersion: 1 });
    const { events } = await instance.appender.append(conditional);
    expect([network.losses, events[0]!.streamVersion]).toEqual([1, 2]);
    expect(await ids()).toHaveLength(2);
  });

  it('still distinguishes a repetition of an older event from what its own lost try has stored', async () => {
    network.loseNextReply();
    const [repeated, fresh, again] = await Promise.all(
      ['warm', 'fresh', 'fresh'].map((id) => instance.appender.append(request(log, [newEvent({ id, stream: 's' })]))),
    );
    expect(network.losses).toBe(1);
    expect([repeated, fresh, again].map((result) => result!.events[0]!.duplicate)).toEqual([true, false, true]);
  });

  it('wakes the followers of the log when it turns out to be stored', async () => {
    const tail = await instance.tails.follow(log);
    network.loseNextReply();
    const [, page] = await Promise.all([
      instance.appender.append(request(log, [newEvent({ id: 'found' })])),
      tail.waitBeyond(1, new AbortController().signal).then(() => tail.read(1)),
    ]);
    expect(page.map(({ id }) => id)).toEqual(['found']);
    instance.tails.unfollow(tail);
  });

  it('is stored after what another instance appended meanwhile, or before it, but not twice', async () => {
    network.loseNextReply();
    await Promise.all([
      instance.appender.append(request(log, [newEvent({ id: 'mine' })])),
      other.appender.append(request(log, [newEvent({ id: 'theirs' })])),
    ]);
    expect((await ids()).toSorted()).toEqual(['mine', 'theirs', 'warm']);
  });

  it('is stored once though the server continues the broken try after the retry has begun', async () => {
    const holder = await connect(store.connection);
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM topic_head WHERE topic_uid = $1 FOR NO KEY UPDATE', [log.topicUid]);
    const waiting = async (count: number): Promise<void> => {
      const [row] = await store.database.query<{ count: number }>({
        name: 'test-waiting',
        text: `SELECT count(*) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'event-store append' AND wait_event_type = 'Lock'`,
      });
      if (row!.count < count) await waiting(count);
    };
    const append = instance.appender.append(request(log, [newEvent({ id: 'zombie' })]));
    await waiting(1);
    network.cutAll();
    await waiting(2);
    await holder.query('COMMIT');
    await holder.end();
    expect((await append).events[0]).toMatchObject({ position: 2, duplicate: false });
    expect(await ids()).toEqual(['warm', 'zombie']);
  });

  it('has an unknown outcome, and reports so, when the store stays unreachable for longer than its patience', async () => {
    const hasty = await openInstance(network.config, { shared: false, patienceMs: 0 });
    await hasty.appender.append(request(log, [newEvent()]));
    network.loseNextReply();
    await expect(hasty.appender.append(request(log, [newEvent({ id: 'unknown' })]))).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('not known'),
      extensions: { retryAfterSeconds: 1 },
    });
    const { events } = await hasty.appender.append(request(log, [newEvent({ id: 'unknown' })]));
    expect(events[0]).toMatchObject({ position: 3, duplicate: true });
    await hasty.close();
  });
});
