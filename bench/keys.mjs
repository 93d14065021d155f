/** What an API key costs a request: hot, with bounds, and if it is noise or invented. No server: the parts of the build that check keys. */
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BUILD } from './lib/event-store.mjs';

const IDENTITY = join(BUILD, 'contexts/identity');
const ADDRESS = '203.0.113.9';
const ROUND = 20_000;

const { ApiKeyDirectory } = await import(join(IDENTITY, 'application/authentication/api-key-directory.js'));
const { ApiKeyUsage } = await import(join(IDENTITY, 'application/api-keys/api-key-usage.js'));
const { KeyMissThrottle } = await import(join(IDENTITY, 'application/authentication/key-miss-throttle.js'));
const { newApiKey } = await import(join(IDENTITY, 'domain/api-key-format.js'));

const stored = new Map();
let queries = 0;

function add(bounds = {}) {
  const { id, secret, key } = newApiKey('live');
  const none = {
    scopes: null,
    actions: null,
    allowedCidrs: null,
    expiresAt: null,
    previousDigest: null,
    previousEndsAt: null,
  };
  stored.set(id, {
    keyId: id,
    userId: 'usr_bench',
    digest: createHash('sha256').update(secret).digest('hex'),
    ...none,
    ...bounds,
  });
  return key;
}

const store = {
  forAuthentication: (ids) => {
    queries++;
    return new Promise((resolve) =>
      setTimeout(
        resolve,
        1,
        ids.flatMap((id) => stored.get(id) ?? []),
      ),
    );
  },
};
const usage = new ApiKeyUsage(store, { flushMs: 10_000 }, undefined);
const clock = { now: Date.now };
const throttle = new KeyMissThrottle(clock, { apiKeyMissesPerMinute: 120 });
const directory = new ApiKeyDirectory(store, usage, throttle, { on: () => undefined, ageMs: 0 }, clock);
/** Each from an address of its own: one that invents many is not let through to the store. */
const addressOf = (n) => `198.18.${n >> 8}.${n & 255}`;

/** Microseconds per call; the text of the key is made again each time, as it is by a request. */
function cost(work, seconds) {
  const until = performance.now() + seconds * 1_000;
  let calls = 0;
  const startedAt = performance.now();
  for (; performance.now() < until; calls += ROUND) for (let i = 0; i < ROUND; i++) work(i);
  return ((performance.now() - startedAt) * 1_000) / calls;
}

async function run({ seconds }) {
  const each = seconds(1);
  const plain = Buffer.from(add(), 'latin1');
  const bounds = {
    allowedCidrs: Array.from({ length: 50 }, (_, i) => `203.0.${i + 100}.0/24`),
    expiresAt: Date.now() + 3_600_000,
  };
  const bound = Buffer.from(add(bounds), 'latin1');
  const noise = Buffer.from(`${newApiKey('live').key.slice(0, -1)}_`, 'latin1');
  for (const key of [plain, bound]) await directory.verify(key.latin1Slice(), ADDRESS);
  const hot = (key) => cost(() => directory.recall(key.latin1Slice(), ADDRESS), each);
  const refuse = () => {
    try {
      directory.verify(noise.latin1Slice(), ADDRESS);
    } catch {
      // As expected.
    }
  };
  const figures = [
    { name: 'a known key', value: hot(plain), unit: 'µs', atMost: 5 },
    { name: 'a known key with an end and 50 ranges', value: hot(bound), unit: 'µs', atMost: 5 },
    { name: 'noise, with the error that it gets', value: cost(refuse, each), unit: 'µs' },
  ];
  const before = queries;
  const invented = Array.from({ length: 10_000 }, () => newApiKey('live').key);
  await Promise.allSettled(invented.map((key, n) => directory.verify(key, addressOf(n))));
  figures.push({ name: 'queries of 10,000 invented keys at once', value: queries - before, unit: '', atMost: 100 });
  return figures;
}

export default [{ name: 'keys', run }];
