import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

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

/** See `Surroundings` in app.ts. */
export function surround(told) {
  if (told.clockShiftMs !== undefined) shiftMs = told.clockShiftMs;
  if (told.names !== undefined) names = told.names;
  if (told.blockMs !== undefined) for (const end = performance.now() + told.blockMs; performance.now() < end;);
}
