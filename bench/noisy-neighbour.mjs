/** One tenant publishes steadily while another floods the server with one kind of request after another. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Peer } from './lib/children.mjs';
import { EventStore } from './lib/event-store.mjs';
import { EVENT, makeTopic, publishRequest, startLoad } from './lib/workload.mjs';

const QUIET_A_SECOND = 500;
const QUIET_CONNECTIONS = 32;
const LOUD_CONNECTIONS = 64;
const LOUD_LIMIT = 500;
const WARM_UP_MS = 3_000;
const LEAD_MS = 1_000;
const BIG_EVENTS = 15;
const SILENT_NAMES = 60;
const STRANGER = { kind: 'service', name: 'Stranger' };
/** 800 kB. */
const BIG_EVENT = JSON.stringify({ type: 't', data: { l: Array.from({ length: 130_000 }, (_, n) => n) } });

class Stage {
  static async set() {
    const stage = new Stage();
    stage.dns = await silentDns();
    stage.store = await EventStore.start({ env: { DELIVERY_DNS_SERVERS: `127.0.0.1:${stage.dns.address().port}` } });
    [stage.quietLoad, stage.loudLoad] = [startLoad(), startLoad()];
    stage.quiet = publishRequest(stage.store, await makeTopic(stage.store, 'orders', 'quiet'), EVENT);
    stage.loud = publishRequest(stage.store, await makeTopic(stage.store, 'orders', 'loud'), EVENT);
    await makeTopic(stage.store, 'big', 'loud');
    for (let n = 0; n < BIG_EVENTS; n++) await stage.store.call('POST', big(), BIG_EVENT);
    return stage;
  }

  async publishQuietly(durationMs) {
    const target = { port: this.store.port, connections: QUIET_CONNECTIONS, requests: [this.quiet] };
    const rate = { durationMs, ratePerSecond: QUIET_A_SECOND };
    const result = await this.quietLoad.ask('steady', { ...target, ...rate }, { timeoutMs: durationMs + 60_000 });
    if (Object.keys(result.statuses).join() !== '201')
      throw new Error(`the quiet tenant was answered ${JSON.stringify(result.statuses)}`);
    return result;
  }

  /** The flood begins before the measurement and ends after it. */
  async publishBeside(flood, durationMs) {
    const stop = await flood.start(this, durationMs + LEAD_MS);
    await pause(LEAD_MS);
    const quiet = await this.publishQuietly(durationMs);
    return { ...quiet, flood: await stop() };
  }

  limit(eventsPerSecond) {
    return this.store.call('PATCH', '/tenants/loud', { limits: { eventsPerSecond } });
  }

  async strike() {
    await Promise.all([this.quietLoad.stop(), this.loudLoad.stop(), this.store.stop()]);
    this.dns.close();
  }
}

const publishes = (name, limit) => ({
  name,
  ...(limit && { goal: 2 }),
  async start(stage, floodMs) {
    if (limit) await stage.limit(limit);
    const target = { port: stage.store.port, connections: LOUD_CONNECTIONS, request: stage.loud };
    const options = { ...target, warmUpMs: LEAD_MS, durationMs: floodMs };
    const flood = stage.loudLoad.ask('repeat', options, { timeoutMs: floodMs + 60_000 });
    return async () => {
      const { statuses } = await flood;
      if (limit) await stage.limit(null);
      return { stored: ((statuses[201] ?? 0) * 1_000) / floodMs, refused: ((statuses[429] ?? 0) * 1_000) / floodMs };
    };
  },
});

/**
 * What `loud` requests repeatedly, on many connections, in a process of its own; `read: false`: responses are not read; `keyOf`: the owner
 * of the key it uses.
 */
const requests = (name, count, make, { read = true, keyOf = ({ apiKey }) => apiKey } = {}) => ({
  name,
  async start({ store }) {
    const flood = new Peer(new URL('lib/flood-process.mjs', import.meta.url));
    await flood.ask('begin', { url: store.url, apiKey: await keyOf(store), count, read, request: make() });
    return async () => {
      const statuses = await flood.ask('end');
      await flood.stop();
      const sum = (wanted) =>
        Object.entries(statuses).reduce((all, [status, times]) => (wanted(Number(status)) ? all + times : all), 0);
      return { answered: sum((status) => status < 400), refused: sum((status) => status >= 400) };
    };
  },
});

/** Consumers of `loud` at names that never resolve; an event is there for each. */
const silentNames = (count) => ({
  name: `consumers at ${count} names of silent DNS`,
  async start({ store, dns }) {
    let asked = 0;
    const note = () => asked++;
    dns.on('message', note);
    await store.call('POST', `${N}/topics/orders/events`, EVENT);
    for (let n = 0; n < count; n++) await store.call('POST', `${N}/consumers`, silentConsumer(n));
    return async () => {
      for (let n = 0; n < count; n++) await store.call('DELETE', `${N}/consumers/silent-${n}`);
      dns.off('message', note);
      return { asked };
    };
  },
});

const silentConsumer = (n) => ({
  id: `silent-${n}`,
  url: `http://w${n}.silent.example/`,
  topics: [{ topic: 'orders', startFrom: 'beginning' }],
  retry: { strategy: 'fixed', initialDelayMs: 10, maxDelayMs: 10, maxAttempts: 1_000 },
});

/** A DNS server on loopback that accepts all questions and answers none. */
async function silentDns() {
  const socket = createSocket('udp4').unref();
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Of a user without any rights. */
async function keyOfStranger(store) {
  const { id } = await store.call('POST', '/users', STRANGER);
  return (await store.call('POST', `/users/${id}/api-keys`, { name: 'bench' })).key;
}

const N = '/tenants/loud/namespaces/shop';
const big = (query = '') => `${N}/topics/big/events${query}`;
const json = { 'content-type': 'application/json' };

/** One entry each; load to measure beside the steady tenant goes here. */
const FLOODS = [
  publishes('publishes without limit'),
  publishes(`publishes with a limit of ${LOUD_LIMIT}/s`, LOUD_LIMIT),
  requests('1,020 live streams of one user', 1_020, () => ({
    path: `${N}/topics/orders/events`,
    headers: { accept: 'text/event-stream' },
  })),
  requests('six readers of large events with a filter', 6, () => ({ path: big('?filter=data.l%20%3D%3D%20data.l') })),
  requests('six readers of large events', 6, () => ({ path: big() })),
  requests('200 who do not read', 200, () => ({ path: big() }), { read: false }),
  requests('eight exports of the audit', 8, () => ({
    method: 'POST',
    path: '/tenants/loud/audit/export',
    headers: json,
    body: '{"format":"ndjson"}',
  })),
  requests('32 who ask about invented tenants', 32, () => ({
    method: 'POST',
    path: '/authz/check',
    headers: json,
    body: '{"action":"tenant:read","resource":"tenants/x@"}',
  })),
  requests('32 with kept answers', 32, () => ({
    method: 'POST',
    path: `${N}/topics/orders/events`,
    headers: { ...json, 'idempotency-key': 'kept-@' },
    body: EVENT,
  })),
  requests(
    'refusals of a stranger in the audit, 32 at once',
    32,
    () => ({ path: `/tenants/quiet/namespaces/shop/topics/x@${'x'.repeat(100)}/events` }),
    { keyOf: keyOfStranger },
  ),
  silentNames(SILENT_NAMES),
];

async function run({ seconds }) {
  const stage = await Stage.set();
  const durationMs = seconds(15) * 1_000;
  await stage.publishQuietly(WARM_UP_MS);
  const alone = await stage.publishQuietly(durationMs);
  const rows = [
    { name: 'alone: p50', value: alone.p50, unit: 'ms' },
    { name: 'alone: p99', value: alone.p99, unit: 'ms' },
  ];
  for (const flood of FLOODS) {
    const beside = await stage.publishBeside(flood, durationMs);
    const against = { name: `beside ${flood.name}: p99 against alone`, value: beside.p99 / alone.p99, unit: '' };
    rows.push(
      { name: `beside ${flood.name}: p50`, value: beside.p50, unit: 'ms' },
      { name: `beside ${flood.name}: p99`, value: beside.p99, unit: 'ms' },
      { ...against, ...(flood.goal && { goal: flood.goal }) },
      ...Object.entries(beside.flood).map(([what, value]) => ({ name: `${flood.name}: ${what}`, value, unit: '' })),
    );
  }
  await stage.strike();
  return rows;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default [{ name: 'noisy-neighbour', run }];
