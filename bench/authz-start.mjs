/** A store of a million users with five million grants: how soon it is ready, what a user costs at first sight, and memory. */
import { readFileSync } from 'node:fs';
import { EventStore } from './lib/event-store.mjs';
import { median } from './lib/http-load.mjs';
import { addKeys, populate, settle } from './lib/population.mjs';
import { startLoad } from './lib/workload.mjs';

const USERS = 1_000_000;
const GRANTS = 5_000_000;
const STARTS = 3;
const FIRST_REQUESTS = 2_000;
/** More than are cached (50,000): the rest evicts others. */
const CACHE_FILLED_BY = 60_000;
const BEYOND_THE_CACHE = 60_000;
const CONNECTIONS = 32;

const residentMiB = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;

async function startedWithin(store) {
  const samples = [];
  for (let i = 0; i < STARTS; i++) {
    await store.stopServer();
    const startedAt = performance.now();
    await store.run();
    samples.push(performance.now() - startedAt);
  }
  return median(samples);
}

/** Numbers of users, each once, from all over the tenants. */
function distinctUsers(count) {
  const numbers = new Set();
  while (numbers.size < count) numbers.add(Math.floor(Math.random() * USERS));
  return [...numbers];
}

async function ask(load, store, requests, connections) {
  const target = { port: store.port, connections, requests };
  const result = await load.ask('once', target, { timeoutMs: 10 * 60_000 });
  if (Object.keys(result.statuses).join() !== '200') throw new Error(`answered ${JSON.stringify(result.statuses)}`);
  return { ...result, resident: residentMiB(store.pid) };
}

async function run() {
  const store = await EventStore.start();
  const load = startLoad();
  const empty = await startedWithin(store);
  const client = await store.connect();
  await populate(client, { users: USERS, grants: GRANTS });
  const numbers = distinctUsers(FIRST_REQUESTS + CACHE_FILLED_BY + BEYOND_THE_CACHE);
  const requests = await addKeys(client, numbers, await store.credentialSigner());
  await settle(client);
  await client.end();
  const full = await startedWithin(store);
  const started = residentMiB(store.pid);
  const first = requests.slice(0, FIRST_REQUESTS);
  const cold = await ask(load, store, first, 1);
  const again = await ask(load, store, first, 1);
  const filled = await ask(load, store, requests.slice(FIRST_REQUESTS, FIRST_REQUESTS + CACHE_FILLED_BY), CONNECTIONS);
  const beyond = await ask(load, store, requests.slice(FIRST_REQUESTS + CACHE_FILLED_BY), CONNECTIONS);
  await Promise.all([load.stop(), store.stop()]);
  return [
    { name: 'ready after', value: full, unit: 'ms', atMost: 3_000 },
    { name: 'an empty store: ready after', value: empty, unit: 'ms' },
    { name: 'memory when ready', value: started, unit: 'MiB' },
    { name: 'first request of a user: p50', value: cold.p50, unit: 'ms' },
    { name: 'first request of a user: p99', value: cold.p99, unit: 'ms' },
    { name: 'second request of a user: p50', value: again.p50, unit: 'ms' },
    { name: `memory after ${FIRST_REQUESTS} users`, value: again.resident, unit: 'MiB' },
    { name: `memory after ${CACHE_FILLED_BY} more, the cache is full`, value: filled.resident, unit: 'MiB' },
    { name: `memory after ${BEYOND_THE_CACHE} more`, value: beyond.resident, unit: 'MiB' },
    {
      name: 'memory beyond the cache against a full cache',
      value: beyond.resident / filled.resident,
      unit: '',
      atMost: 1.2,
    },
    { name: `users met for the first time, ${CONNECTIONS} connections`, value: beyond.ratePerSecond, unit: '/s' },
  ];
}

export default [{ name: 'authz-start', run }];
