import { jest } from '@jest/globals';
import { Client, type QueryConfig } from 'pg';
import type { LogRef } from '../../src/platform/event-log/index.js';
import { createLog, newEvent, openInstance, request, type Instance } from '../support/server/log.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const LOGGED = 3_000;
/** Rows of the log that a statement of this test needs. */
const WANTED_MAX = 20;

let store: TestDatabase;
let instance: Instance;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

beforeAll(async () => {
  store = await createTestDatabase();
  // As in the first minute of a store: there are no statistics, and plans made then are used until there are.
  await store.database.query({ name: '', text: 'ALTER TABLE event SET (autovacuum_enabled = off)' });
  instance = await openInstance(store.connection);
});
afterAll(async () => {
  await instance?.close();
  await store?.drop();
});

const fill = (log: LogRef, count: number): Promise<unknown> =>
  instance.appender.append(
    request(
      log,
      Array.from({ length: count }, (_, n) => newEvent({ id: `filled-${n}`, stream: 'filled', type: 'filled' })),
    ),
  );

/** All statements of the log, on a log of this many events and another one. */
async function statements(log: LogRef, other: LogRef, count: number): Promise<QueryConfig[]> {
  const { appender, reader } = instance;
  await Promise.all([fill(log, count), fill(other, count)]);
  const query = jest.spyOn(Client.prototype, 'query');
  const again = { id: `again-${count}`, stream: `new-${count}` };
  await Promise.all([log, other].map((to) => appender.append(request(to, [newEvent(again)]))));
  await appender.append(request(log, [newEvent(again)]));
  const middle = Math.floor(count / 2);
  const page = { after: middle, before: middle + 10, limit: 5 };
  await reader.follow(log, middle, 5);
  await reader.scan(log, { order: 'asc', ...page });
  await reader.scan(log, { order: 'desc', ...page });
  await reader.byId(log, 'filled-1');
  await reader.stream(log, 'filled', middle, 5);
  await reader.streamVersion(log, 'filled');
  await reader.streamTypes(log, 'filled', middle, 5);
  await reader.heads(log.tenantId, [log.topicUid, other.topicUid]);
  await reader.positionBefore(log, Date.now() + 1);
  const configs = query.mock.calls.map(([config]) => config as unknown as QueryConfig);
  query.mockRestore();
  const found = new Map(configs.map((config) => [config.name, config]));
  return [...found.values()].filter(({ name, text }) => name && /\bevent\b/.test(text));
}

const execution = (client: Client, { name, values = [] }: QueryConfig): string => {
  const literals = values.map((value) => {
    if (value === null) return 'NULL';
    return client.escapeLiteral(Array.isArray(value) ? `{${value.join()}}` : String(value));
  });
  return `EXECUTE ${client.escapeIdentifier(name!)} (${literals.join()})`;
};

/** Prepared as by a connection of the product: planned without the values, when the log was small. */
async function planned(configs: readonly QueryConfig[]): Promise<Client> {
  const client = await connect(store.connection);
  await client.query('SET plan_cache_mode = force_generic_plan');
  for (const config of configs) {
    await client.query(`PREPARE ${client.escapeIdentifier(config.name!)} AS ${config.text}`);
    await client.query(`EXPLAIN ${execution(client, config)}`);
  }
  return client;
}

/** Rows of the log that a statement examines. It is rolled back. */
async function rowsRead(client: Client, config: QueryConfig): Promise<number> {
  await client.query('BEGIN');
  if (config.name!.startsWith('append')) await client.query('DELETE FROM event WHERE position > $1', [LOGGED]);
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${execution(client, config)}`,
  );
  await client.query('ROLLBACK');
  return sumOfScans(rows[0]!['QUERY PLAN'][0].Plan);
}

function sumOfScans(node: PlanNode): number {
  const own =
    node['Relation Name'] === 'event' && node['Node Type'] !== 'ModifyTable'
      ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + sumOfScans(child), own);
}

it('no statement of the log reads more of it than needed, though it was planned when the log was nearly empty', async () => {
  const logs = [await createLog(store.database), await createLog(store.database)] as const;
  const early = await statements(...logs, 3);
  const client = await planned(early);
  const late = await statements(await createLog(store.database), await createLog(store.database), LOGGED);
  expect(late.map(({ name }) => name).toSorted()).toEqual([
    'append',
    'append-one',
    'event-by-id',
    'follow',
    'log-bounds',
    'read-by-ids',
    'read-heads',
    'read-stream-versions',
    'recorded-at',
    'scan-asc',
    'scan-desc',
    'stream-page',
    'stream-types',
    'stream-version',
  ]);
  const read: [string, number][] = [];
  for (const config of late) read.push([config.name!, await rowsRead(client, config)]);
  await client.end();
  expect(read.filter(([, rows]) => rows > WANTED_MAX)).toEqual([]);
}, 60_000);
