import { createHmac, type KeyObject } from 'node:crypto';

/** The signatures of the rows of a tenant that must not be replaced by older ones; '': there is none yet. */
export interface TenantHead {
  readonly tenantId: string;
  readonly chain: string;
  readonly retention: string;
}

const BITS = 256n;

/** What a tenant adds to the sum: a number that cannot be computed without the key. */
export function weightOf({ tenantId, chain, retention }: TenantHead, key: KeyObject): bigint {
  const code = createHmac('sha256', key)
    .update(JSON.stringify(['head', tenantId, chain, retention]))
    .digest('hex');
  return BigInt(`0x${code}`);
}

/**
 * The sum over all tenants, in which one tenant's weight is replaced alone: a change costs the same with one tenant as with a million, and
 * no head can be restored, removed or added without the sum. An append-only list of all heads shows the same, but must be cut at some time;
 * a tree of hashes writes more rows for each change. A reader of sums could combine old rows to the same sum, so it is stored encrypted.
 */
export const replaceWeight = (sum: bigint, before: bigint, after: bigint): bigint =>
  BigInt.asUintN(Number(BITS), sum - before + after);
