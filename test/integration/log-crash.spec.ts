import { History } from '../support/checks/history-checker.js';
import { createLog, newEvent, openInstance, readAll, request, type Instance } from '../support/server/log.js';
import { startOwnServer, type OwnServer } from '../support/server/own-server.js';
import { connect } from '../support/server/postgres.js';
import { runStorm } from '../support/faults/storm.js';

const SEED = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);

/** Kills a process of the server with SIGKILL: all others are disconnected, and the server recovers from its write-ahead log. */
async function killOneBackend(server: OwnServer): Promise<void> {
  const victim = await connect(server.connection);
  const { rows } = await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const gone = new Promise((resolve) => victim.once('end', resolve));
  process.kill(rows[0]!.pid, 'SIGKILL');
  await gone;
}

/** Where recovery would begin: it moves with each recovery. */
async function redoPoint(server: OwnServer): Promise<string> {
  const client = await connect(server.connection);
  const { rows } = await client.query<{ redo: string }>('SELECT redo_lsn::text AS redo FROM pg_control_checkpoint()');
  await client.end();
  return rows[0]!.redo;
}

describe(`a server that is killed during a storm (STORM_SEED=${SEED})`, () => {
  let server: OwnServer;
  let instances: Instance[] = [];

  beforeAll(async () => {
    server = await startOwnServer();
    instances = await Promise.all([1, 2].map(() => openInstance(server.connection, { patienceMs: 15_000 })));
  });
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.close()));
    await server.stop();
  });

  it('has every acknowledged event exactly once after its recovery, and no refused one', async () => {
    const history = new History();
    const logs = await Promise.all([1, 2].map(() => createLog(instances[0]!.database)));
    const before = await redoPoint(server);
    const kills: Promise<void>[] = [];
    const report = await runStorm({
      instances,
      logs,
      history,
      seed: SEED,
      writersPerInstance: 8,
      publishesPerWriter: 30,
      onAnswer: (answers) => {
        if (answers === 120 || answers === 300) kills.push(killOneBackend(server));
      },
    });
    await Promise.all(kills);
    expect(history.judge()).toEqual([]);
    expect(kills).toHaveLength(2);
    expect(report.acknowledged).toBeGreaterThan(250);
    expect(await redoPoint(server)).not.toBe(before);
  });

  it('keeps events acknowledged just before, for a process that starts after it', async () => {
    const log = await createLog(instances[0]!.database);
    const kept = request(log, [newEvent({ id: 'kept', data: '{"n":1.0}' })]);
    await instances[0]!.appender.append(kept);
    await killOneBackend(server);
    const fresh = await openInstance(server.connection, { shared: false });
    const { events } = await fresh.appender.append(kept);
    expect(events).toEqual([{ id: 'kept', position: 1, streamVersion: null, duplicate: true }]);
    expect((await readAll(fresh.reader, log)).map(({ data }) => data)).toEqual(['{"n":1.0}']);
    await fresh.close();
  });
});
