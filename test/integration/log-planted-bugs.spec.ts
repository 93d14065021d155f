import type { Client } from 'pg';
import { History, type FindingKind, type ObservedEvent } from '../support/checks/history-checker.js';
import { createLog, newEvent, openInstance, readAll, request, type Instance } from '../support/server/log.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const LOG = 'naive';

/**
 * Position allocators that most home-made logs use, in the interleaving that breaks them. They prove that the checker on which the storms
 * rely detects such bugs.
 */
describe('the history checker goes red', () => {
  let store: TestDatabase;
  let clients: Client[];
  let history: History;

  beforeAll(async () => {
    store = await createTestDatabase();
    clients = await Promise.all([1, 2, 3].map(() => connect(store.connection)));
    await clients[0]!.query('CREATE SEQUENCE naive_position');
    await clients[0]!.query('CREATE TABLE naive_event (position bigint NOT NULL, id text NOT NULL)');
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await store.drop();
  });
  beforeEach(async () => {
    history = new History();
    await clients[0]!.query('TRUNCATE naive_event');
    await clients[0]!.query('ALTER SEQUENCE naive_position RESTART');
  });

  const read = async (after: number): Promise<ObservedEvent[]> => {
    const { rows } = await clients[2]!.query<ObservedEvent>(
      'SELECT id, position FROM naive_event WHERE position > $1 ORDER BY position',
      [after],
    );
    return rows;
  };
  const begin = async (
    client: Client,
    id: string,
    allocate: string,
  ): Promise<(end: 'COMMIT' | 'ROLLBACK') => Promise<void>> => {
    const publish = history.publishing(LOG, [id]);
    await client.query('BEGIN');
    const { rows } = await client.query<ObservedEvent>(
      `INSERT INTO naive_event SELECT ${allocate}, $1 RETURNING id, position`,
      [id],
    );
    return async (end) => {
      await client.query(end);
      if (end === 'COMMIT') publish.acknowledged([{ ...rows[0]!, duplicate: false }]);
      else publish.refused();
    };
  };
  const pollingReader = (): (() => Promise<void>) => {
    const see = history.reader('poller', LOG);
    let cursor = 0;
    return async () => {
      for (const event of await read(cursor)) {
        see(event);
        cursor = event.position;
      }
    };
  };
  const verdict = async (): Promise<Set<FindingKind>> => {
    history.ended(LOG, await read(0));
    return new Set(history.judge().map(({ kind }) => kind));
  };

  it('for positions from a sequence: a reader passes an event that commits late', async () => {
    const poll = pollingReader();
    const [first, second] = clients as [Client, Client];
    const endFirst = await begin(first, 'slow', "nextval('naive_position')");
    const endSecond = await begin(second, 'fast', "nextval('naive_position')");
    await endSecond('COMMIT');
    await poll();
    await endFirst('COMMIT');
    await poll();
    expect(await verdict()).toEqual(new Set(['skipped']));
  });

  it('for positions from a sequence: a rollback leaves a hole', async () => {
    const [first, second] = clients as [Client, Client];
    await (
      await begin(first, 'one', "nextval('naive_position')")
    )('COMMIT');
    await (
      await begin(first, 'refused', "nextval('naive_position')")
    )('ROLLBACK');
    await (
      await begin(second, 'two', "nextval('naive_position')")
    )('COMMIT');
    expect(await verdict()).toEqual(new Set(['hole']));
  });

  it('for the highest position plus one, read without a lock: two events get one position', async () => {
    const next = '(SELECT coalesce(max(position), 0) + 1 FROM naive_event)';
    const ends = [await begin(clients[0]!, 'one', next), await begin(clients[1]!, 'two', next)];
    for (const end of ends) await end('COMMIT');
    expect(await verdict()).toContain('two-values');
  });

  it('for our own appender, once the unique key of positions is taken away', async () => {
    await clients[0]!.query('ALTER TABLE event DROP CONSTRAINT event_position_key');
    const instances = await Promise.all([openInstance(store.connection), openInstance(store.connection)]);
    const log = await createLog(store.database);
    const append = async (instance: Instance, id: string): Promise<void> => {
      const publish = history.publishing(log.topicUid, [id]);
      const { events } = await instance.appender.append(request(log, [newEvent({ id })]));
      publish.acknowledged(events);
    };
    for (const [i, instance] of [...instances, ...instances].entries()) await append(instance, `e${i}`);
    history.ended(log.topicUid, await readAll(instances[0]!.reader, log));
    expect(history.judge().map(({ kind }) => kind)).toContain('two-values');
    await Promise.all(instances.map((instance) => instance.close()));
  });
});
