import dns from 'node:dns/promises';
import { isMainThread } from 'node:worker_threads';

/**
 * The surroundings of a server process, controlled by a test: its system clock, the results of its name look-ups, and blocks of its event
 * loop. Loaded before the product, which is not aware of it.
 */
const SystemDate = Date;
let shiftMs = 0;
let names = {};

globalThis.Date = class Date extends SystemDate {
  constructor(...given) {
    if (given.length === 0) super(SystemDate.now() + shiftMs);
    else super(...given);
  }

  static now() {
    return SystemDate.now() + shiftMs;
  }
};

for (const [question, isOfFamily] of [
  ['resolve4', (address) => !address.includes(':')],
  ['resolve6', (address) => address.includes(':')],
]) {
  const asked = dns.Resolver.prototype[question];
  dns.Resolver.prototype[question] = function (hostname, options) {
    const addresses = names[hostname]?.filter(isOfFamily);
    if (!addresses) return asked.call(this, hostname, options);
    if (addresses.length === 0) return Promise.reject(Object.assign(new Error('no data'), { code: 'ENODATA' }));
    return Promise.resolve(addresses.map((address) => ({ address, ttl: 0 })));
  };
}

function apply({ clockShiftMs, names: known, failure }) {
  if (clockShiftMs !== undefined) shiftMs = clockShiftMs;
  if (known !== undefined) names = known;
  if (failure !== undefined && !isMainThread) setImmediate(() => Promise.reject(new Error(failure)));
}

/** Other threads of the process receive it here, and confirm. */
const channel = new BroadcastChannel('surroundings');
let threads = 0;
let heard = Promise.withResolvers();
let awaited = 0;

channel.addEventListener('message', ({ data: { kind, told } }) => {
  if (isMainThread && kind === 'here') threads++;
  if (isMainThread && kind === 'heard' && --awaited === 0) heard.resolve();
  if (isMainThread || kind !== 'told') return;
  apply(told);
  channel.postMessage({ kind: 'heard' });
});
channel.unref();
apply(JSON.parse(process.env.TEST_SURROUNDINGS ?? '{}'));
if (!isMainThread) channel.postMessage({ kind: 'here' });

/** See `Surroundings` in app.ts. Resolves when all threads have it; only the loop of the main thread is blocked. */
export async function surround(told) {
  apply(told);
  awaited = threads;
  heard = Promise.withResolvers();
  if (threads === 0) heard.resolve();
  else channel.postMessage({ kind: 'told', told });
  await heard.promise;
  if (told.blockMs !== undefined) for (const end = performance.now() + told.blockMs; performance.now() < end;);
}
