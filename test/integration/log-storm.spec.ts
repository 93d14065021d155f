import type { Client } from 'pg';
import { History } from '../support/checks/history-checker.js';
import { createLog, openInstance, type Instance } from '../support/server/log.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { runStorm, seededRandom, type StormOptions } from '../support/faults/storm.js';

/** Shown on failure; `STORM_SEED` repeats the same storm, as far as timing allows. */
const SEED = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);

describe(`a storm over one log from several instances (STORM_SEED=${SEED})`, () => {
  let store: TestDatabase;
  let admin: Client;
  let instances: Instance[];

  beforeAll(async () => {
    store = await createTestDatabase();
    admin = await connect(store.connection);
  });
  afterAll(async () => {
    await admin.end();
    await store.drop();
  });
  beforeEach(async () => {
    instances = await Promise.all([1, 2, 3].map(() => openInstance(store.connection, { followEventsMin: 1 })));
  });
  afterEach(() => Promise.all(instances.map((instance) => instance.close())));

  const storm = async (logCount: number, options: Partial<StormOptions> = {}) => {
    const history = new History();
    const logs = await Promise.all(Array.from({ length: logCount }, () => createLog(store.database)));
    const defaults = { instances, logs, history, seed: SEED, writersPerInstance: 8, publishesPerWriter: 40 };
    const report = await runStorm({ ...defaults, ...options });
    return { report, findings: history.judge() };
  };

  // One instance alone sends a flush behind the other; several meet each other, and lock first.
  it.each([
    [1, 3],
    [3, 3],
    [1, 1],
    [3, 1],
  ])(
    'keeps positions dense and in order, nothing lost, nothing twice, for writers and readers of %d topics at %d instances',
    async (topics, count) => {
      const { report, findings } = await storm(topics, {
        instances: instances.slice(0, count),
        writersPerInstance: 24 / count,
      });
      expect(findings).toEqual([]);
      expect(report.unknown).toBe(0);
      expect(Math.min(report.refused, report.duplicates)).toBeGreaterThan(10);
      expect(report.acknowledged + report.refused).toBe(24 * 40 + topics);
    },
  );

  it('continues beside a session that holds an old snapshot and a transaction that holds an id', async () => {
    const [snapshot, writer] = await Promise.all([connect(store.connection), connect(store.connection)]);
    await snapshot.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const { rows: before } = await snapshot.query('SELECT count(*) FROM event');
    await writer.query('BEGIN');
    await writer.query("INSERT INTO schema_migration VALUES ('held open', '', 0)");
    const { report, findings } = await storm(2, { publishesPerWriter: 20 });
    expect(findings).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect((await snapshot.query('SELECT count(*) FROM event')).rows).toEqual(before);
    await Promise.all([snapshot.end(), writer.end()]);
  });

  it.each([1, 3])(
    'keeps every acknowledged event exactly once while connections of %d instances are cut',
    async (count) => {
      const random = seededRandom(SEED);
      const cuts: Promise<number>[] = [];
      const cut = async (): Promise<number> => {
        const { rows } = await admin.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'event-store append' AND state <> 'idle'`);
        const chosen = rows[random(rows.length)];
        if (!chosen) return 0;
        await admin.query('SELECT pg_terminate_backend($1)', [chosen.pid]);
        return 1;
      };
      const { report, findings } = await storm(2, {
        instances: instances.slice(0, count),
        writersPerInstance: 24 / count,
        onAnswer: (answers) => {
          if (answers % 12 === 0) cuts.push(cut());
        },
      });
      const done = (await Promise.all(cuts)).reduce((sum, one) => sum + one, 0);
      expect(findings).toEqual([]);
      expect(done).toBeGreaterThan(5);
      expect(report.acknowledged).toBeGreaterThan(300);
    },
  );
});
