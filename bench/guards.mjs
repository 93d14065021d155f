/** What authentication and authorization cost a publish, by an API key and by a token: against the same route without its guards. */
import { join } from 'node:path';
import { BUILD, EventStore } from './lib/event-store.mjs';
import { medianOf, race } from './lib/race.mjs';
import { EVENT, makeTopic, publishRequest, startLoad } from './lib/workload.mjs';

/** Both run from these: the run without guards reaches into them. */
const MODULES = join(BUILD, 'main.js');
const WITHOUT_GUARDS = ['--import', join(import.meta.dirname, 'lib/without-guards.mjs')];
const PERSON = { email: 'publisher@bench.test', password: 'a-bench-needs-a-password-too' };

/** A member of the tenant that publishes, whose session lasts as long as the bench. */
async function tokenOfMember(store) {
  const { id } = await store.call('POST', '/users', PERSON);
  await store.call('PUT', `/tenants/bench/members/${id}`, { roles: ['publisher'] });
  const { accessToken } = await store.call('POST', '/auth/login', PERSON);
  return accessToken;
}

async function run({ seconds }) {
  const guarded = await EventStore.start({ entry: MODULES });
  const open = await EventStore.start({ entry: MODULES });
  const path = await makeTopic(guarded, 'orders');
  await makeTopic(open, 'orders');
  await open.stopServer();
  await open.run(WITHOUT_GUARDS);
  const byKey = publishRequest(guarded, path, EVENT);
  const { 'x-api-key': _key, ...headers } = byKey.headers;
  const byToken = { ...byKey, headers: { ...headers, authorization: `Bearer ${await tokenOfMember(guarded)}` } };
  const load = startLoad();
  const contenders = [
    { port: guarded.port, pid: guarded.pid, request: byKey },
    { port: guarded.port, pid: guarded.pid, request: byToken },
    { port: open.port, pid: open.pid, request: byKey },
  ];
  const rounds = await race(load, contenders, { connections: 32, seconds: seconds(3), rounds: 9 });
  await load.stop();
  await guarded.stop();
  await open.stop();
  const [keyRate, tokenRate, openRate] = rounds.map((own) => medianOf(own, 'ratePerSecond'));
  const [keyCpu, tokenCpu, openCpu] = rounds.map((own) => medianOf(own, 'cpuMicrosPerRequest'));
  return [
    { name: 'share of publishes that an API key costs', value: 1 - keyRate / openRate, unit: '', atMost: 0.15 },
    { name: 'share of publishes that a token costs', value: 1 - tokenRate / openRate, unit: '', atMost: 0.15 },
    { name: 'publishes with an API key', value: keyRate, unit: '/s' },
    { name: 'publishes with a token', value: tokenRate, unit: '/s' },
    { name: 'publishes without guards', value: openRate, unit: '/s' },
    { name: 'CPU of an API key', value: keyCpu - openCpu, unit: 'µs' },
    { name: 'CPU of a token', value: tokenCpu - openCpu, unit: 'µs' },
  ];
}

export default [{ name: 'publish-guards', run }];
