/** Publish → received at a steady 1,000 events/s, and what a delivered event costs in statements. */
import { EventStore } from './lib/event-store.mjs';
import { median } from './lib/http-load.mjs';
import { makeTopic, publishRequest, Receiver, register, STAMPED_EVENT, startLoad } from './lib/workload.mjs';

const RATE = 1_000;
const CONNECTIONS = 16;
/** At this rate a new process works for some 10 s until its hot functions are compiled for the last time; shown separately below. */
const YOUNG_MS = 15_000;
const LAG = 'event_store_delivery_lag_events';
/** Flat: no more waits in the last third than arrives in a tenth of a second. */
const flat = (fanOut) => (RATE * fanOut) / 10;

class Stage {
  static async set(fanOut) {
    const stage = new Stage();
    stage.fanOut = fanOut;
    stage.store = await EventStore.start();
    stage.receiver = await Receiver.start();
    stage.load = startLoad();
    stage.path = await makeTopic(stage.store, 'orders');
    for (let i = 0; i < fanOut; i++)
      await register(stage.store, stage.receiver, { id: `consumer-${i}`, topic: 'orders' });
    // Scraped from the beginning, as in production: the first request of another kind costs a process a second of recompiling.
    stage.lags = watchLag(stage.store);
    stage.young = await stage.offer(YOUNG_MS);
    return stage;
  }

  /** Offers events for a while; returns what the receiver has got when the last of them has arrived. */
  async offer(durationMs) {
    await this.receiver.ask('reset');
    const request = publishRequest(this.store, this.path, STAMPED_EVENT);
    const target = { port: this.store.port, connections: CONNECTIONS, request };
    const timeoutMs = durationMs + 60_000;
    const sent = await this.load.ask('stamped', { ...target, durationMs, ratePerSecond: RATE }, { timeoutMs });
    if (Object.keys(sent.statuses).join() !== '201') throw new Error(`answered ${JSON.stringify(sent.statuses)}`);
    const count = sent.sent * this.fanOut;
    const report = await this.receiver.ask('arrived', { count }, { timeoutMs });
    for (const [name, lane] of Object.entries(report.lanes)) {
      if (lane.received !== sent.sent || lane.repeated + lane.holes > 0)
        throw new Error(`${name} did not get each event once, in order: ${JSON.stringify(lane)}`);
    }
    return report;
  }

  strike() {
    this.lags.stop();
    return Promise.all([this.load.stop(), this.receiver.stop(), this.store.stop()]);
  }
}

/** Samples the lag each second until stopped. */
function watchLag(store) {
  const samples = [];
  const sample = () =>
    store.metric(LAG).then(
      (lag) => samples.push(lag),
      () => undefined,
    );
  const timer = setInterval(() => void sample(), 1_000);
  return { samples, stop: () => clearInterval(timer) };
}

async function runLatency(fanOut, { seconds }) {
  const stage = await Stage.set(fanOut);
  const { samples } = stage.lags;
  samples.length = 0;
  const report = await stage.offer(seconds(60) * 1_000);
  const lags = samples.slice();
  await stage.strike();
  const third = Math.max(1, Math.floor(lags.length / 3));
  const early = median(lags.slice(0, third));
  const late = median(lags.slice(-third));
  return [
    { name: 'p50', value: report.latency.p50, unit: 'ms', atMost: 5 },
    { name: 'p95', value: report.latency.p95, unit: 'ms' },
    { name: 'p99', value: report.latency.p99, unit: 'ms', atMost: 50, goal: 20 },
    { name: 'slowest', value: report.latency.max, unit: 'ms' },
    { name: `p50 in the first ${YOUNG_MS / 1_000} s of the process`, value: stage.young.latency.p50, unit: 'ms' },
    { name: `p99 in the first ${YOUNG_MS / 1_000} s of the process`, value: stage.young.latency.p99, unit: 'ms' },
    { name: 'deliveries', value: report.total, unit: '' },
    { name: 'backlog in the first third (median)', value: early, unit: 'events' },
    {
      name: 'backlog in the last third (median)',
      value: late,
      unit: 'events',
      atMost: flat(fanOut),
    },
    { name: 'largest backlog seen', value: Math.max(...lags), unit: 'events' },
  ];
}

const STATEMENTS = `SELECT query, calls::int, total_exec_time AS ms FROM pg_stat_statements
  WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY calls DESC`;
/** The statement that stores events: it belongs to the publish. */
const isAppend = ({ query }) => /^\s*WITH head AS MATERIALIZED/.test(query);

async function runStatements({ seconds }) {
  const stage = await Stage.set(1);
  const client = await stage.store.connect();
  await client.query('CREATE EXTENSION pg_stat_statements');
  await client.query('SELECT pg_stat_statements_reset()');
  const { total } = await stage.offer(seconds(20) * 1_000);
  const { rows } = await client.query(STATEMENTS);
  await client.end();
  await stage.strike();
  const others = rows.filter((row) => !isAppend(row));
  const sum = (list) => list.reduce((calls, row) => calls + row.calls, 0);
  const top = others.slice(0, 8).map(({ query, calls, ms }) => ({
    name: `  ${query.replaceAll(/\s+/g, ' ').slice(0, 70)}`,
    value: calls / total,
    unit: `a delivery (${calls} calls, ${ms.toFixed(0)} ms)`,
  }));
  return [
    { name: 'statements a delivered event', value: sum(others) / total, unit: '', atMost: 0.1 },
    { name: 'appends a published event', value: sum(rows.filter(isAppend)) / total, unit: '' },
    ...top,
  ];
}

export default [
  { name: 'latency-fanout-1', run: (context) => runLatency(1, context) },
  { name: 'latency-fanout-10', run: (context) => runLatency(10, context) },
  { name: 'sql-per-event', run: runStatements },
];
