/**
 * Three ways to assign dense positions on one hot topic, with the statements of the product where it has them, and with a session that
 * keeps a snapshot open: it prevents vacuum from removing what an UPDATE leaves behind. Eight publishers throughout.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, EventStore } from './lib/event-store.mjs';

const PLATFORM = join(BUILD, 'platform');
const PUBLISHERS = 8;
const TENANT = 'bench';
const DATA = `{"note":"${'x'.repeat(230)}"}`;

const { append, LOCK_HEADS, READ_HEADS } = await import(join(PLATFORM, 'event-log/append-sql.js'));

const rowsAfter = (position, count) =>
  Array.from({ length: count }, (_, i) => ({
    position: position + i + 1,
    logBytes: (position + i + 1) * DATA.length,
    recordedAt: 1_790_000_000_000,
    occurredAt: null,
    streamVersion: null,
    schemaVersion: null,
    id: `evt_${randomUUID()}`,
    type: 'order.placed',
    key: null,
    stream: null,
    correlationId: null,
    causationId: null,
    traceparent: null,
    tracestate: null,
    publishedBy: 'key_bench',
    metadata: null,
    data: DATA,
  }));

const insert = (client, topic, rows) => client.query(append(TENANT, new Map([[topic, rows]])));

/** One writer knows the end; events that arrive while it writes go into its next statement, as in the product. */
async function oneWriter({ clients: [client], topic, count, until }) {
  let position = 0;
  let publishes = 0;
  while (performance.now() < until) {
    const rows = rowsAfter(position, count * PUBLISHERS);
    await insert(client, topic, rows);
    position += rows.length;
    publishes += PUBLISHERS;
  }
  return publishes;
}

/** The same without batching: what a single publisher gets. */
async function oneWriterOnePublisher({ clients: [client], topic, count, until }) {
  let position = 0;
  let publishes = 0;
  for (; performance.now() < until; publishes++) {
    await insert(client, topic, rowsAfter(position, count));
    position += count;
  }
  return publishes;
}

async function everyPublisher({ clients, until }, publish) {
  const counts = await Promise.all(
    clients.map(async (client) => {
      let publishes = 0;
      for (; performance.now() < until; publishes++) await publish(client);
      return publishes;
    }),
  );
  return counts.reduce((sum, own) => sum + own, 0);
}

const lockAndTail = (options) =>
  everyPublisher(options, async (client) => {
    const { topic, count } = options;
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await client.query({ ...LOCK_HEADS, values: [TENANT, [topic]] });
    const { rows } = await client.query({ ...READ_HEADS, values: [TENANT, [topic]], rowMode: 'array' });
    await insert(client, topic, rowsAfter(Number(rows[0][1]), count));
    await client.query('COMMIT');
  });

const COUNT_AND_INSERT = {
  name: 'count-and-insert',
  text: `
WITH counter AS (UPDATE bench_counter SET position = position + $2 WHERE topic_uid = $1 RETURNING position - $2 AS base)
INSERT INTO event (tenant_id, topic_uid, position, log_bytes, recorded_at, event_id, type, published_by, data)
SELECT '${TENANT}', $1, counter.base + r.ordinality, 0, 1790000000000, r.id, 'order.placed', 'key_bench', $4
FROM counter, unnest($3::text[]) WITH ORDINALITY AS r (id)`,
};

/** One statement per publish, the best that a counter can do. */
const updatedCounter = (options) =>
  everyPublisher(options, (client) => {
    const ids = Array.from({ length: options.count }, () => `evt_${randomUUID()}`);
    return client.query({ ...COUNT_AND_INSERT, values: [options.topic, options.count, ids, DATA] });
  });

const STRATEGIES = {
  'one writer, optimistic, gathering': oneWriter,
  'one writer, optimistic, one publisher': oneWriterOnePublisher,
  'lock the head, read the tail': lockAndTail,
  'UPDATE counter RETURNING': updatedCounter,
};

async function prepareDatabase(store) {
  const admin = await store.connect();
  await admin.query('CREATE DATABASE bench_allocators');
  await admin.end();
  const client = await store.connect('bench_allocators');
  await client.query(readFileSync(join(PLATFORM, 'postgres/migrations/0001_event_log.sql'), 'utf8'));
  await client.query('ALTER TABLE event ADD COLUMN tracestate text COLLATE "C"'); // of 0018, which has more
  await client.query('CREATE TABLE bench_counter (topic_uid uuid PRIMARY KEY, position bigint NOT NULL)');
  return client;
}

async function measure(strategy, { admin, clients, count, seconds, idle }) {
  const topic = randomUUID();
  await admin.query('INSERT INTO topic_head (tenant_id, topic_uid) VALUES ($1, $2)', [TENANT, topic]);
  await admin.query('INSERT INTO bench_counter VALUES ($1, 0)', [topic]);
  if (idle) await idle.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM topic_head');
  const startedAt = performance.now();
  const publishes = await strategy({ clients, topic, count, until: startedAt + seconds * 1_000 });
  const rate = (publishes * 1_000) / (performance.now() - startedAt);
  if (idle) await idle.query('COMMIT');
  const { rows } = await admin.query(
    'SELECT count(*)::int AS events, max(position)::int AS last FROM event WHERE topic_uid = $1',
    [topic],
  );
  if (rows[0].events !== publishes * count || rows[0].last !== rows[0].events)
    throw new Error(`positions are not dense: ${JSON.stringify(rows[0])}`);
  await admin.query('TRUNCATE event');
  return rate;
}

async function run({ seconds }) {
  const store = await EventStore.start();
  const admin = await prepareDatabase(store);
  const clients = await Promise.all(Array.from({ length: PUBLISHERS }, () => store.connect('bench_allocators')));
  const idleSession = await store.connect('bench_allocators');
  const figures = [];
  for (const idle of [undefined, idleSession]) {
    for (const count of [1, 100]) {
      for (const [name, strategy] of Object.entries(STRATEGIES)) {
        const rate = await measure(strategy, { admin, clients, count, seconds: seconds(10), idle });
        const session = idle ? ', with an idle snapshot' : '';
        const unit = count === 1 ? 'commits/s' : 'events/s';
        figures.push({ name: `${name}${session}, ${count} an append`, value: rate * count, unit });
      }
    }
  }
  await Promise.all([admin, idleSession, ...clients].map((client) => client.end()));
  await store.stop();
  return figures;
}

export default [{ name: 'allocators', run }];
