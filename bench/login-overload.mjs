/** More logins than two cores can hash: the excess is refused, and other requests continue. */
import { EventStore } from './lib/event-store.mjs';
import { EVENT, makeTopic, publishRequest, startLoad } from './lib/workload.mjs';

const LOGINS_A_SECOND = 50;
const OTHERS_A_SECOND = 200;
const USERS = 200;
const PASSWORD = 'correct horse battery staple 7';
const WARM_UP_MS = 3_000;
/** More than can be in progress: two that are hashed, 32 that wait, and those that are refused at once. */
const LOGIN_CONNECTIONS = 64;
const CONNECTIONS = 32;

/** One is created as users are; the others are copies with the same hash, so that the bench does not begin with a minute of hashing. */
const COPY_USER = `
INSERT INTO user_account (user_id, kind, email, name, state, password_hash, password_signature, version, created_at, updated_at)
SELECT 'usr_copy_' || i, kind, 'user-' || i || '@bench.example', name, state, password_hash, signature, version, created_at, updated_at
FROM user_account, unnest($2::text[]) WITH ORDINALITY AS s (signature, i) WHERE user_id = $1`;

const HASH = 'SELECT password_hash AS hash FROM user_account WHERE user_id = $1';

/** Each from an address of its own: guesses are counted by address, and many users behind one address would be throttled, not refused. */
const login = (number) => ({
  path: '/auth/login',
  headers: {
    'content-type': 'application/json',
    'x-forwarded-for': `198.18.${Math.floor(number / 250)}.${(number % 250) + 1}`,
  },
  body: JSON.stringify({ email: `user-${(number % USERS) + 1}@bench.example`, password: PASSWORD }),
});

async function makeUsers(store) {
  const user = { email: 'first@bench.example', name: 'User', password: PASSWORD };
  const { id } = await store.call('POST', '/users', user);
  const client = await store.connect();
  const sign = await store.credentialSigner();
  const [{ hash: passwordHash }] = (await client.query(HASH, [id])).rows;
  const signatures = Array.from({ length: USERS }, (_, i) =>
    sign('password', { userId: `usr_copy_${i + 1}`, passwordHash }),
  );
  await client.query(COPY_USER, [id, signatures]);
  await client.end();
}

async function makeOthers(store) {
  const path = await makeTopic(store, 'orders');
  const look = { method: 'GET', path: path.replace(/\/events$/, ''), headers: { 'x-api-key': store.apiKey } };
  return [publishRequest(store, path, EVENT), look];
}

function only(allowed, { statuses }) {
  const others = Object.keys(statuses).filter((status) => !allowed.includes(status));
  if (others.length > 0) throw new Error(`answered ${JSON.stringify(statuses)}`);
}

async function run({ seconds }) {
  const store = await EventStore.start({ env: { HTTP_TRUST_PROXY: '127.0.0.1/32' } });
  const [othersLoad, loginLoad] = [startLoad(), startLoad()];
  await makeUsers(store);
  const requests = await makeOthers(store);
  const durationMs = seconds(20) * 1_000;
  const timeoutMs = durationMs + 60_000;
  const others = async (ms) => {
    const target = { port: store.port, connections: CONNECTIONS, requests, ratePerSecond: OTHERS_A_SECOND };
    const result = await othersLoad.ask('steady', { ...target, durationMs: ms }, { timeoutMs });
    only(['200', '201'], result);
    return result;
  };
  await others(WARM_UP_MS);
  const before = await others(durationMs);
  const logins = loginLoad.ask(
    'steady',
    {
      port: store.port,
      connections: LOGIN_CONNECTIONS,
      requests: Array.from({ length: 1_000 }, (_, i) => login(i)),
      ratePerSecond: LOGINS_A_SECOND,
      durationMs,
    },
    { timeoutMs },
  );
  const [offered, during] = await Promise.all([logins, others(durationMs)]);
  only(['200', '503'], offered);
  const after = await others(durationMs);
  await Promise.all([othersLoad.stop(), loginLoad.stop(), store.stop()]);
  const { 200: done = 0, 503: refused = 0 } = offered.statuses;
  const without = (before.p99 + after.p99) / 2;
  const perSecond = (count) => (count * 1_000) / durationMs;
  return [
    { name: 'logins offered', value: perSecond(offered.sent), unit: '/s' },
    { name: 'logins done', value: perSecond(done), unit: '/s' },
    { name: 'logins refused (503)', value: perSecond(refused), unit: '/s' },
    { name: 'share of the refusals with Retry-After', value: offered.toldWhen / refused, unit: '', atLeast: 1 },
    { name: 'slowest answer to a login', value: offered.max, unit: 'ms' },
    { name: 'other requests: p50 without logins', value: (before.p50 + after.p50) / 2, unit: 'ms' },
    { name: 'other requests: p50 with logins', value: during.p50, unit: 'ms' },
    { name: 'other requests: p99 without logins', value: without, unit: 'ms' },
    { name: 'other requests: p99 with logins', value: during.p99, unit: 'ms' },
    { name: 'other requests: p99 with against without', value: during.p99 / without, unit: '', atMost: 2 },
  ];
}

export default [{ name: 'login-overload', run }];
