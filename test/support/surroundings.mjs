import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * What surrounds a server process, in the hands of a test: its system clock, the answers to its look-ups of names, and somebody who blocks
 * its event loop. Loaded before the product, which knows nothing of it.
 */
const SystemDate = Date;
const systemLookup = dns.lookup;
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

dns.lookup = (hostname, options) => {
  const addresses = names[hostname];
  if (!addresses) return systemLookup(hostname, options);
  return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
};
syncBuiltinESMExports();

function apply({ clockShiftMs, names: known, failure }) {
  if (clockShiftMs !== undefined) shiftMs = clockShiftMs;
  if (known !== undefined) names = known;
  if (failure !== undefined && !isMainThread) setImmediate(() => Promise.reject(new Error(failure)));
}

/** Other threads of the process hear of it here, and say that they have. */
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

/** See `Surroundings` in app.ts. Resolves when all threads are surrounded so; it is the main thread whose loop stands still. */
export async function surround(told) {
  apply(told);
  awaited = threads;
  heard = Promise.withResolvers();
  if (threads === 0) heard.resolve();
  else channel.postMessage({ kind: 'told', told });
  await heard.promise;
  if (told.blockMs !== undefined) for (const end = performance.now() + told.blockMs; performance.now() < end;);
}
