/**
 * The server is killed in the middle of delivering, alone, together with its PostgreSQL, and under publishers; how long until it continues.
 */
import { EventStore } from './lib/event-store.mjs';
import { sharedMicros } from './lib/http-load.mjs';
import { EVENT, makeTopic, prefill, publishRequest, Receiver, register } from './lib/workload.mjs';

const EVENTS = 20_000;
const KILLED_AFTER = 5_000;
const PUBLISH_EVERY_MS = 1_000 / 300;
const PUBLISHED_MS = 3_000;

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

/** Publishes at a steady rate until stopped; returns when each request began and how it ended. */
function publishSteadily({ url }, { path, headers, body }) {
  const outcomes = [];
  const publish = async () => {
    const begun = sharedMicros();
    const send = fetch(url + path, { method: 'POST', headers, body });
    const status = await send.then(
      async (response) => (await response.text(), response.status),
      ({ cause }) => cause?.code ?? 'failed',
    );
    outcomes.push({ begun, ended: sharedMicros(), status });
  };
  const underWay = [];
  const startedAt = performance.now();
  const timer = setInterval(() => {
    while (underWay.length < (performance.now() - startedAt) / PUBLISH_EVERY_MS) underWay.push(publish());
  }, 1);
  return async () => (clearInterval(timer), await Promise.all(underWay), outcomes);
}

async function recoverUnderPublishers() {
  const store = await EventStore.start();
  const receiver = await Receiver.start();
  const path = await makeTopic(store, 'orders');
  await register(store, receiver, { id: 'consumer', topic: 'orders' });
  const stop = publishSteadily(store, publishRequest(store, path, EVENT));
  await receiver.ask('arrived', { count: PUBLISHED_MS / PUBLISH_EVERY_MS });
  await store.killServer();
  const killedAt = sharedMicros();
  await store.run();
  const { total } = await receiver.ask('report');
  await receiver.ask('arrived', { count: total + 300 });
  const outcomes = await stop();
  const refused = outcomes.filter(({ status }) => status === 'ECONNREFUSED');
  const served = outcomes.filter(({ status, ended }) => status === 201 && ended > killedAt);
  const stored = outcomes.filter(({ status }) => status === 201).length;
  const { lanes } = await receiver.ask('reached', { path: '/consumer', position: stored });
  await Promise.all([receiver.stop(), store.stop()]);
  const { received, holes, repeated } = lanes['/consumer'];
  if (received < stored || holes > 0) throw new Error(`events are missing: ${JSON.stringify(lanes)} of ${stored}`);
  return {
    refusedMs: (Math.max(killedAt, ...refused.map(({ ended }) => ended)) - killedAt) / 1_000,
    servedMs: (Math.min(...served.map(({ ended }) => ended)) - killedAt) / 1_000,
    repeated,
  };
}

async function run() {
  const alone = await recover({ withPostgres: false });
  const both = await recover({ withPostgres: true });
  const published = await recoverUnderPublishers();
  return [
    { name: 'server killed: ready after', value: alone.readyMs, unit: 'ms' },
    { name: 'server killed: first delivery after', value: alone.deliveredMs, unit: 'ms', atMost: 10_000 },
    { name: 'server killed: delivered twice', value: alone.repeated, unit: 'events' },
    { name: 'with PostgreSQL killed: ready after', value: both.readyMs, unit: 'ms' },
    { name: 'with PostgreSQL killed: first delivery after', value: both.deliveredMs, unit: 'ms', atMost: 10_000 },
    { name: 'with PostgreSQL killed: delivered twice', value: both.repeated, unit: 'events' },
    { name: 'killed at 300 events/s: publishers refused for', value: published.refusedMs, unit: 'ms', goal: 300 },
    { name: 'killed at 300 events/s: first answer after', value: published.servedMs, unit: 'ms' },
    { name: 'killed at 300 events/s: delivered twice', value: published.repeated, unit: 'events' },
    { name: 'events, all in order', value: 2 * EVENTS, unit: '' },
  ];
}

export default [{ name: 'recovery', run }];
