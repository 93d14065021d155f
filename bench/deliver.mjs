/** Strictly ordered delivery of an existing log, beside undici posting the same over one connection to the same receiver. */
import { EventStore } from './lib/event-store.mjs';
import { cpuMicroseconds, median } from './lib/http-load.mjs';
import { makeTopic, NAMESPACE, prefill, Receiver, register, startLoad } from './lib/workload.mjs';

const ROUNDS = 3;
const EVENTS_PER_SECOND_MEASURED = 3_000;

async function deliverAll(store, receiver, id, events) {
  await receiver.ask('reset');
  const cpuBefore = cpuMicroseconds(store.pid);
  await register(store, receiver, { id, topic: 'orders', startFrom: 'beginning' });
  const report = await receiver.ask('arrived', { count: events }, { timeoutMs: 120_000 });
  const cpu = cpuMicroseconds(store.pid) - cpuBefore;
  await store.call('DELETE', `${NAMESPACE}/consumers/${id}`);
  const { received, repeated, holes, position } = report.lanes[`/${id}`];
  if (received !== events || repeated + holes > 0 || position !== events) {
    throw new Error(`not delivered in order, each once: ${JSON.stringify(report.lanes)}`);
  }
  return {
    rate: ((events - 1) * 1e6) / (report.lastAt - report.firstAt),
    cpuMicros: cpu / events,
    sample: report.sample,
  };
}

async function run({ seconds }) {
  const events = Math.round(seconds(5) * EVENTS_PER_SECOND_MEASURED);
  const store = await EventStore.start();
  const receiver = await Receiver.start();
  const load = startLoad();
  await prefill(store, await makeTopic(store, 'orders'), events);
  const rates = [];
  const costs = [];
  const references = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { rate, cpuMicros, sample } = await deliverAll(store, receiver, `round-${round}`, events);
    rates.push(rate);
    costs.push(cpuMicros);
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = sample.headers;
    const options = { origin: receiver.origin, path: '/reference', headers, body: sample.body };
    const durationMs = seconds(5) * 1_000;
    references.push((await load.ask('sequential', { ...options, durationMs })).ratePerSecond);
  }
  await Promise.all([load.stop(), receiver.stop(), store.stop()]);
  return [
    { name: 'deliveries', value: median(rates), unit: '/s', atLeast: 4_000 },
    { name: 'undici, one connection', value: median(references), unit: '/s' },
    { name: 'share of undici', value: median(rates) / median(references), unit: '' },
    { name: 'CPU of the server a delivery', value: median(costs), unit: 'µs' },
    { name: 'events, in order and once', value: events * ROUNDS, unit: '' },
  ];
}

export default [{ name: 'deliver-ordered', run }];
