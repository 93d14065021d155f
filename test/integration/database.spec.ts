import type { Database, Sql } from '../../src/platform/postgres/database.js';
import { connect, createTestDatabase, openDatabase, type TestDatabase } from '../support/server/postgres.js';

describe('the database', () => {
  let store: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    store = await createTestDatabase('empty');
    database = store.database;
    const client = await connect(store.connection);
    await client.query('CREATE TABLE mark (id bigint PRIMARY KEY)');
    await client.query(`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(0.01); RETURN NULL; END $$`);
    await client.query(`CREATE CONSTRAINT TRIGGER dies_at_commit AFTER INSERT ON mark DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.id = 13) EXECUTE FUNCTION die()`);
    await client.end();
  });
  afterAll(() => store.drop());

  const cutOff = async (sql: Sql): Promise<void> => {
    const { rows } = await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const gone = new Promise((resolve) => (sql as unknown as NodeJS.EventEmitter).once('end', resolve));
    await database.query({ name: 'test-terminate', text: 'SELECT pg_terminate_backend($1)' }, [rows[0]!.pid]);
    await gone;
  };
  const marks = (id: number): Promise<unknown[]> =>
    database.query({ name: 'test-marks', text: 'SELECT id FROM mark WHERE id = $1' }, [id]);

  it('survives a connection that is cut between the statements of a transaction, and continues with another', async () => {
    const work = database.transaction(async (sql) => {
      await sql.query('INSERT INTO mark VALUES (1)');
      await cutOff(sql);
      await sql.query('INSERT INTO mark VALUES (2)');
    });
    await expect(work).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(await marks(1)).toEqual([]);
    await database.transaction((sql) => sql.query('INSERT INTO mark VALUES (1)'));
    expect(await marks(1)).toHaveLength(1);
  });

  it('runs a transaction again if the server ended it within a statement', async () => {
    let tries = 0;
    await database.transaction(async (sql) => {
      await sql.query('INSERT INTO mark VALUES (4)');
      if (++tries === 1) await sql.query('SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(1)');
    });
    expect(tries).toBe(2);
    expect(await marks(4)).toHaveLength(1);
  });

  it('does not run a transaction again once its commit was sent: it may have taken effect', async () => {
    let tries = 0;
    const work = database.transaction(async (sql) => {
      tries++;
      await sql.query('INSERT INTO mark VALUES (13)');
    });
    await expect(work).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(tries).toBe(1);
  });

  it('runs a transaction again after a deadlock, at most five times', async () => {
    let tries = 0;
    const work = database.transaction((sql) => {
      tries++;
      return sql.query("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$");
    });
    await expect(work).rejects.toMatchObject({
      code: 'store-unavailable',
      kind: 'unavailable',
      extensions: { retryAfterSeconds: 1 },
    });
    expect(tries).toBe(5);
  });

  it('rolls back when its work throws, and rethrows the error unchanged', async () => {
    const refusal = new Error('not like this');
    const work = database.transaction(async (sql) => {
      await sql.query('INSERT INTO mark VALUES (3)');
      throw refusal;
    });
    await expect(work).rejects.toBe(refusal);
    expect(await marks(3)).toEqual([]);
  });

  it('works on the newest data in each statement, whatever the default isolation of the server', async () => {
    const strict = openDatabase({ ...store.connection, options: '-c default_transaction_isolation=serializable' });
    const level = await strict.transaction((sql) =>
      sql.query<{ transaction_isolation: string }>('SHOW transaction_isolation'),
    );
    expect(level.rows[0]!.transaction_isolation).toBe('read committed');
    await strict.close();
  });

  it('reports that the store is unavailable when the server cannot be reached', async () => {
    const nowhere = openDatabase({ ...store.connection, host: '127.0.0.1', port: 1 });
    await expect(nowhere.query({ name: 'test-one', text: 'SELECT 1' })).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    await expect(nowhere.transaction(() => Promise.resolve())).rejects.toMatchObject({ code: 'store-unavailable' });
    await nowhere.close();
  });

  it('ends a statement that takes too long, and the wait for a lock', async () => {
    const hasty = openDatabase(store.connection, { statementTimeoutMs: 60, lockTimeoutMs: 30 });
    const slow = hasty.query({ name: 'test-sleep', text: 'SELECT pg_sleep(5)' });
    await expect(slow).rejects.toMatchObject({ code: 'store-unavailable', cause: { code: '57014' } });
    await database.transaction(async (sql) => {
      await sql.query('LOCK TABLE mark');
      const blocked = hasty.query({ name: 'test-blocked', text: 'SELECT id FROM mark' });
      await expect(blocked).rejects.toMatchObject({ cause: { code: '55P03' } });
    });
    await hasty.close();
  });
});
