import { MANAGEMENT_TOPICS, systemActor, type Aggregate } from '../../src/kernel/aggregate.js';
import { defineErrors } from '../../src/kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../src/kernel/ids.js';
import {
  AggregateRepository,
  Aggregates,
  DurableSubscriptions,
  type Changed,
  type StoredEvent,
} from '../../src/platform/event-log/index.js';
import type { Sql } from '../../src/platform/postgres/database.js';
import { auditTrail } from '../support/api/audit.js';
import { LossyConnection } from '../support/faults/lossy-connection.js';
import { openInstance, readAll, SetClock, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const fail = defineErrors({ 'counter-refused': { kind: 'conflict', title: 'Refused' } });
const LOG = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };

type CounterEvent = { type: 'counter.added'; data: { by: number } };

const counter: Aggregate<number, CounterEvent, string> = {
  topicUid: LOG.topicUid,
  eventTypes: {
    'counter.added': { version: 2, upcast: (data) => ({ by: (data as { amount: number }).amount }) },
  },
  initial: 0,
  streamOf: (ref) => `counter/${ref}`,
  tenantOf: (ref) => `tenant-${ref}`,
  resourceOf: (ref) => `counters/${ref}`,
  evolve: (state, { data }) => state + data.by,
};

class Counters extends AggregateRepository<number, CounterEvent, string> {
  readonly aggregate = counter;
  failNext = false;

  async project(sql: Sql, ref: string, { state, version }: Changed<number>): Promise<void> {
    await sql.query(`INSERT INTO counter VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET total = $2, version = $3`, [
      ref,
      state,
      version,
    ]);
    if (!this.failNext) return;
    this.failNext = false;
    throw fail('counter-refused', 'The read model refuses.');
  }
}

const add = (by: number) => (): CounterEvent[] => [{ type: 'counter.added', data: { by } }];

describe('aggregates', () => {
  let store: TestDatabase;
  let instance: Instance;
  let aggregates: Aggregates;
  const counters = new Counters();
  const clock = new SetClock(1_000);
  const audit = auditTrail(clock);
  const trace = {
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tracestate: 'rojo=1,congo=2',
  };
  const actor = { ...systemActor('corr-1'), ...trace, id: 'usr_1' };

  beforeAll(async () => {
    store = await createTestDatabase();
    await store.database.query({
      name: 'test-counter',
      text: 'CREATE TABLE counter (id text PRIMARY KEY, total bigint NOT NULL, version bigint NOT NULL)',
    });
    instance = await openInstance(store.connection);
    aggregates = new Aggregates(instance.database, instance.reader, clock, instance.tails, audit);
  });
  afterAll(async () => {
    await instance.close();
    await store.drop();
  });

  const row = (id: string): Promise<unknown[]> =>
    store.database.query({ name: 'test-row', text: 'SELECT total, version FROM counter WHERE id = $1' }, [id]);

  it('keep their events and their read model consistent, and notify the followers of the log', async () => {
    const tail = await instance.tails.follow(LOG);
    const before = tail.head;
    expect(await aggregates.change(counters, 'a', actor, add(2))).toMatchObject({ state: 2, version: 1 });
    expect(tail.head).toBe(before + 1);
    expect(await aggregates.change(counters, 'a', actor, add(3))).toMatchObject({ state: 5, version: 2 });
    expect(await aggregates.load(counter, 'a')).toEqual({ state: 5, version: 2, recordedAt: 1_000 });
    expect(await row('a')).toEqual([{ total: 5, version: 2 }]);
    expect(await instance.reader.at(LOG, before + 1)).toMatchObject({
      type: 'counter.added',
      stream: 'counter/a',
      key: 'tenant-a',
      ...trace,
      data: '{"by":2}',
      schemaVersion: 2,
      publishedBy: 'usr_1',
      correlationId: 'corr-1',
      recordedAt: 1_000,
    });
    instance.tails.unfollow(tail);
  });

  it('store nothing when a rule refuses, when nothing changes, and when the read model refuses', async () => {
    const size = (await readAll(instance.reader, LOG)).length;
    const refusal = fail('counter-refused', 'no');
    const refuse = (): never => {
      throw refusal;
    };
    await expect(aggregates.change(counters, 'b', actor, refuse)).rejects.toBe(refusal);
    expect(await aggregates.change(counters, 'b', actor, () => [])).toEqual({ state: 0, version: 0, recordedAt: 0 });
    counters.failNext = true;
    await expect(aggregates.change(counters, 'b', actor, add(1))).rejects.toMatchObject({ code: 'counter-refused' });
    expect(await row('b')).toEqual([]);
    expect(await readAll(instance.reader, LOG)).toHaveLength(size);
  });

  it('change only the version that the caller has seen', async () => {
    await aggregates.change(counters, 'c', actor, add(1), { expectedVersion: 0 });
    const stale = aggregates.change(counters, 'c', actor, add(1), { expectedVersion: 0 });
    await expect(stale).rejects.toMatchObject({ code: 'version-mismatch', kind: 'precondition-failed' });
    expect(await row('c')).toEqual([{ total: 1, version: 1 }]);
  });

  it('lose no concurrent change, on one aggregate and on others of the same topic', async () => {
    const changes = ['d', 'd', 'd', 'd', 'e', 'f'].map((ref) => aggregates.change(counters, ref, actor, add(1)));
    await Promise.all(changes);
    expect(await row('d')).toEqual([{ total: 4, version: 4 }]);
    const positions = (await readAll(instance.reader, LOG)).map(({ position }) => position);
    expect(positions).toEqual(positions.map((_, i) => i + 1));
  });

  it.each([1, 2])('are changed once, and report so, if the reply to the commit is lost (%i)', async (version) => {
    const network = new LossyConnection(store.connection);
    const lossy = await openInstance(network.config, { shared: false });
    const tail = await lossy.tails.follow(LOG);
    const before = tail.head;
    network.loseReplyTo('COMMIT\0'); // and not to BEGIN … READ COMMITTED
    const changing = new Aggregates(lossy.database, lossy.reader, clock, lossy.tails, audit);
    expect(await changing.change(counters, 'h', actor, add(1))).toMatchObject({ state: version, version });
    expect([network.losses, tail.head]).toEqual([1, before + 1]);
    expect(await row('h')).toEqual([{ total: version, version }]);
    lossy.tails.unfollow(tail);
    await lossy.close();
  });

  it('upcast events of an older version when reading', async () => {
    await aggregates.change(counters, 'g', actor, add(1));
    await store.database.query(
      {
        name: 'test-age',
        text: `UPDATE event SET data = '{"amount":7}', schema_version = 1 WHERE tenant_id = $1 AND stream = 'counter/g'`,
      },
      [SYSTEM_TENANT],
    );
    expect((await aggregates.load(counter, 'g')).state).toBe(7);
  });

  it('reach subscriptions in order, from the checkpoint on, again after a failure', async () => {
    const errors: unknown[] = [];
    const subscribe = (handle: (event: StoredEvent) => Promise<void>): DurableSubscriptions => {
      const subscriptions = new DurableSubscriptions(
        instance.database,
        instance.tails,
        (_, [event]) => handle(event!),
        (_, error) => errors.push(error),
      );
      subscriptions.start({ name: 'test-events', log: LOG, inPages: false });
      return subscriptions;
    };
    const total = (await readAll(instance.reader, LOG)).length;
    const seen: number[] = [];
    const upTo = (position: number): Promise<DurableSubscriptions> =>
      new Promise((resolve) => {
        const handle = async (event: StoredEvent): Promise<void> => {
          seen.push(event.position);
          if (event.position === 3 && seen.filter((at) => at === 3).length === 1) throw new Error('not now');
          if (event.position === position) resolve(subscriptions);
        };
        const subscriptions = subscribe(handle);
      });
    await (await upTo(total)).close();
    expect(errors).toEqual([new Error('not now')]);
    expect(seen).toEqual([1, 2, 3, ...Array.from({ length: total - 2 }, (_, i) => i + 3)]);

    seen.length = 0;
    const next = upTo(total + 1);
    await aggregates.change(counters, 'h', actor, add(1));
    await (await next).close();
    expect(seen.at(-1)).toBe(total + 1);
    expect(seen.length).toBeLessThanOrEqual(2); // the last one may come again: its checkpoint was still to be written
  });

  it('reach subscriptions in pages: waiting events together, in order, and failed ones again', async () => {
    await aggregates.change(counters, 'pages', actor, add(1));
    const all = (await readAll(instance.reader, LOG)).map(({ position }) => position);
    const pages: number[][] = [];
    const done = Promise.withResolvers<void>();
    const PAGES = { name: 'test-pages', log: LOG, inPages: true };
    const take = async (_: unknown, events: readonly StoredEvent[]): Promise<void> => {
      pages.push(events.map(({ position }) => position));
      if (pages.length === 1) throw new Error('not now');
      done.resolve();
    };
    const subscriptions = new DurableSubscriptions(store.database, instance.tails, take, () => undefined);
    subscriptions.start(PAGES);
    await done.promise;
    await subscriptions.close();
    expect(pages).toEqual([all, all]);
    const told = Promise.withResolvers<number[]>();
    const tell = async (_: unknown, events: readonly StoredEvent[]): Promise<void> =>
      told.resolve(events.map((one) => one.position));
    const next = new DurableSubscriptions(store.database, instance.tails, tell, () => undefined);
    next.start(PAGES);
    await aggregates.change(counters, 'pages', actor, add(1));
    expect((await told.promise).at(-1)).toBe(all.length + 1);
    await next.close();
  });
});
