import { createHmac, type KeyObject } from 'node:crypto';

/** What of a tenant must not be put back alone, by its signatures; '': there is none yet. */
export interface TenantHead {
  readonly tenantId: string;
  readonly chain: string;
  readonly retention: string;
}

const BITS = 256n;

/** What a tenant adds to the sum: a number that nobody can tell without the key. */
export function weightOf({ tenantId, chain, retention }: TenantHead, key: KeyObject): bigint {
  const code = createHmac('sha256', key)
    .update(JSON.stringify(['head', tenantId, chain, retention]))
    .digest('hex');
  return BigInt(`0x${code}`);
}

/**
 * The sum over all tenants, each of which may be exchanged by itself: a change of one costs the same with one tenant as with a million, and
 * none can be put back, removed or added without the sum. A list of all heads that only grows shows the same, but has to be cut at some time;
 * a tree of hashes takes more rows a change. Whoever sees sums could combine old rows to the same one, so that it is stored encrypted.
 */
export const exchanged = (sum: bigint, before: bigint, after: bigint): bigint =>
  BigInt.asUintN(Number(BITS), sum - before + after);
