/** The server is killed in the middle of delivering, alone and together with its PostgreSQL; how long until it goes on. */
import { EventStore } from './lib/event-store.mjs';
import { sharedMicros } from './lib/http-load.mjs';
import { makeTopic, prefill, Receiver, register } from './lib/workload.mjs';

const EVENTS = 20_000;
const KILLED_AFTER = 5_000;

async function recover({ withPostgres }) {
  const store = await EventStore.start();
  const receiver = await Receiver.start();
  await prefill(store, await makeTopic(store, 'orders'), EVENTS);
  await register(store, receiver, { id: 'consumer', topic: 'orders', startFrom: 'beginning' });
  await receiver.ask('arrived', { count: KILLED_AFTER });
  if (withPostgres) store.killPostgres();
  await store.killServer();
  const { total } = await receiver.ask('report');
  const startedAt = sharedMicros();
  const next = receiver.ask('arrived', { count: total + 1 });
  await store.run();
  const readyAt = sharedMicros();
  const { lastAt } = await next;
  const report = await receiver.ask('reached', { path: '/consumer', position: EVENTS });
  await Promise.all([receiver.stop(), store.stop()]);
  const { received, holes, repeated } = report.lanes['/consumer'];
  if (received !== EVENTS || holes > 0) throw new Error(`events are missing: ${JSON.stringify(report.lanes)}`);
  return { readyMs: (readyAt - startedAt) / 1_000, deliveredMs: (lastAt - startedAt) / 1_000, repeated };
}

async function run() {
  const alone = await recover({ withPostgres: false });
  const both = await recover({ withPostgres: true });
  return [
    { name: 'server killed: ready after', value: alone.readyMs, unit: 'ms' },
    { name: 'server killed: first delivery after', value: alone.deliveredMs, unit: 'ms', atMost: 10_000 },
    { name: 'server killed: delivered twice', value: alone.repeated, unit: 'events' },
    { name: 'with PostgreSQL killed: ready after', value: both.readyMs, unit: 'ms' },
    { name: 'with PostgreSQL killed: first delivery after', value: both.deliveredMs, unit: 'ms', atMost: 10_000 },
    { name: 'with PostgreSQL killed: delivered twice', value: both.repeated, unit: 'events' },
    { name: 'events, all in order', value: 2 * EVENTS, unit: '' },
  ];
}

export default [{ name: 'recovery', run }];
