import { serializedLog, systemActor, type Aggregate, type Changed } from '../../src/kernel/aggregate.js';
import { defineErrors } from '../../src/kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../src/kernel/ids.js';
import { AggregateRepository, Aggregates, type LogReader } from '../../src/platform/event-log/index.js';
import type { Sql } from '../../src/platform/postgres/database.js';
import { auditTrail } from '../support/api/audit.js';
import { openInstance, readAll, SetClock, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const fail = defineErrors({
  'seat-taken': { kind: 'conflict', title: 'Taken' },
  'hall-full': { kind: 'conflict', title: 'Full' },
});
const SEATS = 2;
const LOG = { tenantId: SYSTEM_TENANT, topicUid: serializedLog('consumers') };

type SeatEvent = { type: 'seat.taken'; data: { by: string } };
type Taken = string | null;
interface HallFacts {
  readonly taken: number;
}

const seat: Aggregate<Taken, SeatEvent, string, HallFacts> = {
  topicUid: LOG.topicUid,
  eventTypes: { 'seat.taken': { version: 1 } },
  initial: null,
  streamOf: (ref) => `seat/${ref}`,
  tenantOf: () => 'hall',
  resourceOf: (ref) => `seats/${ref}`,
  evolve: (_, { data }) => data.by,
  check({ taken }, { before }) {
    if (before === null && taken >= SEATS) throw fail('hall-full', 'No seat is left.');
  },
};

class Seats extends AggregateRepository<Taken, SeatEvent, string, HallFacts> {
  readonly aggregate = seat;
  /** The facts from the store, with the number of events in the log at that time. */
  readonly asked: { taken: number; events: number }[] = [];

  override async ask(sql: Sql): Promise<HallFacts> {
    const { rows } = await sql.query<{ taken: number; events: number }>(
      `SELECT (SELECT count(*) FROM seat) AS taken, (SELECT count(*) FROM event WHERE topic_uid = $1) AS events`,
      [LOG.topicUid],
    );
    this.asked.push(rows[0]!);
    return rows[0]!;
  }

  async project(sql: Sql, ref: string, { state }: Changed<Taken>, { taken }: HallFacts): Promise<void> {
    await sql.query('INSERT INTO seat (id, by, nth) VALUES ($1, $2, $3)', [ref, state, taken + 1]);
  }
}

const takes =
  (by: string) =>
  (state: Taken): SeatEvent[] => {
    if (state !== null) throw fail('seat-taken', 'The seat is taken.');
    return [{ type: 'seat.taken', data: { by } }];
  };

describe('the check of an aggregate', () => {
  let store: TestDatabase;
  let instance: Instance;
  let aggregates: Aggregates;
  let seats: Seats;
  const actor = systemActor('corr-1');
  const clock = new SetClock(1_000);

  beforeEach(async () => {
    store = await createTestDatabase();
    await store.database.query({
      name: 'test-seat',
      text: 'CREATE TABLE seat (id text PRIMARY KEY, by text NOT NULL, nth bigint NOT NULL)',
    });
    instance = await openInstance(store.connection);
    aggregates = new Aggregates(instance.database, instance.reader, clock, instance.tails, auditTrail(clock));
    seats = new Seats();
  });
  afterEach(async () => {
    await instance.close();
    await store.drop();
  });

  it('gets its facts before anything is written, and passes them to the read model', async () => {
    await aggregates.change(seats, 'a', actor, takes('ann'));
    expect(seats.asked).toEqual([{ taken: 0, events: 0 }]);
    const rows = await store.database.query({ name: 'test-seats', text: 'SELECT id, by, nth FROM seat' });
    expect(rows).toEqual([{ id: 'a', by: 'ann', nth: 1 }]);
  });

  it('refuses the change as a whole', async () => {
    await aggregates.change(seats, 'a', actor, takes('ann'));
    await aggregates.change(seats, 'b', actor, takes('ben'));
    await expect(aggregates.change(seats, 'c', actor, takes('cid'))).rejects.toMatchObject({ code: 'hall-full' });
    expect(await readAll(instance.reader, LOG)).toHaveLength(2);
  });

  it('accepts as many changes as are allowed, however many come at once', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `seat-${i}`);
    const settled = await Promise.allSettled(names.map((ref) => aggregates.change(seats, ref, actor, takes('ann'))));
    const refused = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refused).toEqual(Array.from({ length: 6 }, () => expect.objectContaining({ code: 'hall-full' }) as unknown));
    expect(await readAll(instance.reader, LOG)).toHaveLength(SEATS);
  });

  it('never refuses by a stale state: the aggregate decides again', async () => {
    await aggregates.change(seats, 'a', actor, takes('ann'));
    let overtakes = true;
    const slow = Object.create(instance.reader) as LogReader;
    slow.stream = async (...request) => {
      const page = await instance.reader.stream(...request);
      if (overtakes) {
        overtakes = false;
        await aggregates.change(seats, 'b', actor, takes('cid'));
      }
      return page;
    };
    const late = new Aggregates(instance.database, slow, clock, instance.tails, auditTrail(clock));
    await expect(late.change(seats, 'b', actor, takes('ben'))).rejects.toMatchObject({ code: 'seat-taken' });
  });
});
