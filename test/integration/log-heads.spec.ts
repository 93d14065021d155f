import { beginLog, endLog, holdLogs, LogSizes, LogTrimmer, type LogRef } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, readAll, request, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

let store: TestDatabase;
let instance: Instance;
beforeAll(async () => {
  store = await createTestDatabase();
  instance = await openInstance(store.connection);
});
afterAll(async () => {
  await instance.close();
  await store.drop();
});

const fill = (log: LogRef, count: number) =>
  instance.appender.append(
    request(
      log,
      Array.from({ length: count }, () => newEvent()),
    ),
  );
const end = (log: LogRef) => instance.database.transaction((sql) => endLog(sql, log));

/** Sessions that wait for this one. */
const WAITING = `
SELECT 1 FROM pg_stat_clear_snapshot(), pg_stat_activity a WHERE pg_backend_pid() = ANY (pg_blocking_pids(a.pid))`;

describe('a log', () => {
  it('begins empty, once, and accepts events', async () => {
    const log = { tenantId: 'acme', topicUid: '00000000-0000-4000-8000-00000000000a' };
    await expect(fill(log, 1)).rejects.toMatchObject({ code: 'log-gone' });
    for (let n = 0; n < 2; n++) await instance.database.transaction((sql) => beginLog(sql, log));
    await fill(log, 2);
    expect(await readAll(instance.reader, log)).toHaveLength(2);
  });

  it('that is held does not end before its holder is done, and still accepts events', async () => {
    const log = await createLog(instance.database);
    const seen: string[] = [];
    let ending: Promise<unknown> | undefined;
    await instance.database.transaction(async (sql) => {
      expect(await holdLogs(sql, log.tenantId, [log.topicUid])).toEqual(new Set([log.topicUid]));
      ending = end(log).then(() => seen.push('ends'));
      while (seen.length === 0) if ((await sql.query(WAITING)).rows.length > 0) seen.push('waits');
      await fill(log, 1);
      seen.push('has taken an event');
    });
    await ending;
    expect(seen).toEqual(['waits', 'has taken an event', 'ends']);
    await expect(fill(log, 1)).rejects.toMatchObject({ code: 'log-gone' });
  });

  it('is held only if it exists: ended logs and those of other tenants are not among the held ones', async () => {
    const [log, gone, other] = await Promise.all(
      ['acme', 'acme', 'other'].map((tenantId) => createLog(instance.database, tenantId)),
    );
    await end(gone!);
    const uids = [log!, gone!, other!].map(({ topicUid }) => topicUid);
    const held = await instance.database.transaction((sql) => holdLogs(sql, 'acme', uids));
    expect([...held]).toEqual([log!.topicUid]);
    expect(await instance.database.transaction((sql) => holdLogs(sql, 'acme', []))).toEqual(new Set());
  });

  it('is measured: events also after its end and during trimming; bytes until its end', async () => {
    const tenantId = 'measured';
    const [one, two] = await Promise.all([
      createLog(instance.database, tenantId),
      createLog(instance.database, tenantId),
    ]);
    const sizes = new LogSizes(instance.database);
    const trimmer = new LogTrimmer(instance.database);
    const both = [one.topicUid, two.topicUid];
    expect([await sizes.events(tenantId, both), await sizes.storedBytes(tenantId)]).toEqual([0, 0]);
    await fill(one, 3);
    await fill(two, 4);
    const bytes = await sizes.storedBytes(tenantId);
    expect([await sizes.events(tenantId, both), bytes > 0]).toEqual([7, true]);
    await end(two);
    expect(await sizes.events(tenantId, both)).toBe(7);
    expect(await sizes.storedBytes(tenantId)).toBeLessThan(bytes);
    expect(await trimmer.trim(two, 3)).toBe(true);
    expect(await sizes.events(tenantId, both)).toBe(4);
    expect(await trimmer.trim(two, 3)).toBe(false);
    expect([await sizes.events(tenantId, both), await sizes.events('other', both)]).toEqual([3, 0]);
  });
});
