/** What the product costs under light load: CPU and latency of a delivered event at everyday rates, CPU while idle, memory. */
import { EventStore } from './lib/event-store.mjs';
import { CostWatch } from './lib/process-cost.mjs';
import { makeTopic, publishRequest, Receiver, register, STAMPED_EVENT, startLoad } from './lib/workload.mjs';

const CONNECTIONS = 16;
const RATES = [10, 100, 300];
/** Until its hot functions are compiled for the last time. */
const WARM_UP = { ratePerSecond: 1_000, durationMs: 15_000 };
const WARM_UP_OF_RATE_MS = 1_000;
const LOADED = { ratePerSecond: 1_000 };
/** By then the remains of a start are compiled, collected and written. */
const SETTLE_MS = 5_000;
const IDLE_CONSUMERS = [0, 100, 10_000];
const REGISTERED_AT_ONCE = 16;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sum = (parts) => Object.values(parts).reduce((total, part) => total + part, 0);

class Stage {
  static async set({ consumers }) {
    const stage = new Stage();
    stage.store = await EventStore.start({ env: { TENANT_CONSUMERS_MAX: String(10 * Math.max(consumers, 10)) } });
    stage.costs = new CostWatch(stage.store.pid, stage.store.postgresPid);
    stage.receiver = await Receiver.start();
    stage.load = startLoad();
    stage.path = await makeTopic(stage.store, 'orders');
    for (let from = 0; from < consumers; from += REGISTERED_AT_ONCE) {
      const ids = Array.from(
        { length: Math.min(REGISTERED_AT_ONCE, consumers - from) },
        (_, i) => `consumer-${from + i}`,
      );
      await Promise.all(ids.map((id) => register(stage.store, stage.receiver, { id, topic: 'orders' })));
    }
    return stage;
  }

  /** What the receiver has got when the last of the events has arrived, each once and in order. */
  async offer({ ratePerSecond, durationMs }) {
    await this.receiver.ask('reset');
    const request = publishRequest(this.store, this.path, STAMPED_EVENT);
    const target = { port: this.store.port, connections: CONNECTIONS, request };
    const timeoutMs = durationMs + 60_000;
    const sent = await this.load.ask('stamped', { ...target, durationMs, ratePerSecond }, { timeoutMs });
    if (Object.keys(sent.statuses).join() !== '201') throw new Error(`answered ${JSON.stringify(sent.statuses)}`);
    const report = await this.receiver.ask('arrived', { count: sent.sent }, { timeoutMs });
    const [lane] = Object.values(report.lanes);
    if (lane.received !== sent.sent || lane.repeated + lane.holes > 0)
      throw new Error(`not each event once, in order: ${JSON.stringify(lane)}`);
    return report;
  }

  strike() {
    return Promise.all([this.load.stop(), this.receiver.stop(), this.store.stop()]);
  }
}

const WAL = 'SELECT wal_bytes::float8 AS bytes FROM pg_stat_wal';
const CALLS = `SELECT sum(calls)::int AS calls FROM pg_stat_statements WHERE query !~ 'pg_stat_'`;

/** On a connection that is open only before and after, so it costs the store nothing meanwhile. */
async function tally(store) {
  const client = await store.connect();
  const { rows: wal } = await client.query(WAL);
  const { rows: statements } = await client.query(CALLS);
  await client.end();
  return { bytes: wal[0].bytes, calls: statements[0].calls };
}

async function runPerEvent({ seconds }) {
  const stage = await Stage.set({ consumers: 1 });
  const client = await stage.store.connect();
  await client.query('CREATE EXTENSION pg_stat_statements');
  await client.end();
  await stage.offer(WARM_UP);
  const figures = [];
  for (const ratePerSecond of RATES) {
    await stage.offer({ ratePerSecond, durationMs: WARM_UP_OF_RATE_MS });
    const before = await tally(stage.store);
    stage.costs.begin();
    const { total, latency } = await stage.offer({ ratePerSecond, durationMs: seconds(20) * 1_000 });
    const used = stage.costs.end();
    const after = await tally(stage.store);
    figures.push(...costFigures(ratePerSecond, used, total), ...latencyFigures(ratePerSecond, latency));
    figures.push(
      { name: `  statements`, value: (after.calls - before.calls) / total, unit: 'an event' },
      { name: `  WAL`, value: (after.bytes - before.bytes) / total, unit: 'bytes an event' },
    );
  }
  await stage.strike();
  return figures;
}

/** A third less than measured in November 2026 (1.45 ms at 300/s), and half of it. */
const costTarget = (rate) => (rate === 300 ? { atMost: 0.97, goal: 0.73 } : {});

function costFigures(rate, used, events) {
  const each = ([name, micros]) => ({ name: `  ${name}`, value: micros / events / 1_000, unit: 'ms' });
  const all = { name: `CPU a delivered event at ${rate}/s`, value: sum(used) / events / 1_000, unit: 'ms' };
  return [{ ...all, ...costTarget(rate) }, ...Object.entries(used).map(each)];
}

function latencyFigures(rate, { p50, p99 }) {
  return [
    { name: `publish to webhook at ${rate}/s, p50`, value: p50, unit: 'ms' },
    {
      name: `publish to webhook at ${rate}/s, p99`,
      value: p99,
      unit: 'ms',
      ...(rate === 100 && { atMost: 5, goal: 4 }),
    },
  ];
}

async function idleWith(consumers, seconds) {
  const stage = await Stage.set({ consumers });
  await pause(SETTLE_MS);
  const durationMs = seconds(20) * 1_000;
  stage.costs.begin();
  await pause(durationMs);
  const used = stage.costs.end();
  const share = (micros) => micros / durationMs / 10;
  const memory = stage.costs.memoryMiB();
  await stage.strike();
  return [
    { name: `CPU while idle, ${consumers} consumers`, value: share(sum(used)), unit: '% of a core' },
    ...Object.entries(used).map(([name, micros]) => ({ name: `  ${name}`, value: share(micros), unit: '%' })),
    ...memoryFigures(`at rest, ${consumers} consumers`, memory),
  ];
}

async function runIdle({ seconds }) {
  const figures = [];
  for (const consumers of IDLE_CONSUMERS) figures.push(...(await idleWith(consumers, seconds)));
  return figures;
}

const memoryFigures = (when, { server, postgres }, target = {}) => [
  { name: `memory ${when}`, value: server + postgres, unit: 'MiB', ...target },
  { name: '  server', value: server, unit: 'MiB' },
  { name: '  PostgreSQL', value: postgres, unit: 'MiB' },
];

async function runMemory({ seconds }) {
  const stage = await Stage.set({ consumers: 1 });
  await pause(SETTLE_MS);
  const rest = stage.costs.memoryMiB();
  await stage.offer({ ...LOADED, durationMs: seconds(60) * 1_000 });
  const loaded = stage.costs.memoryMiB();
  await stage.strike();
  return [
    ...memoryFigures('at rest', rest),
    ...memoryFigures(`after ${seconds(60)} s at ${LOADED.ratePerSecond}/s`, loaded, { atMost: 440 }),
  ];
}

export default [
  { name: 'cost-per-event', run: runPerEvent },
  { name: 'cost-idle', run: runIdle },
  { name: 'cost-memory', run: runMemory },
];
