/** How many streams of one kind are open. */
export interface OpenCounts {
  readonly inAll: number;
  readonly ofTenant: number;
  /** Of the human, by whatever keys and in whatever tenants. */
  readonly ofHuman: number;
}

export type Admission = 'open' | 'tenant-share-used' | 'human-share-used' | 'full';

/** What a tenant gets whatever the others do: a tenth. */
const TENANTS_AT_LEAST = 10;

/**
 * Whether one more stream may be opened, where there may be `streamsMax` in all.
 *
 * A tenant may have a tenth, and beyond it one more as long as at least as many are free as it has: alone half of all, with a second one a
 * third each, and so on (dynamic thresholds, Choudhury and Hahne 1998). A human may have half of what their tenant may, so that no one shuts
 * out their colleagues; fresh keys gain nothing.
 *
 * Rejected: a tenth and no more. A tenant that is alone on an instance, as in most installations, could use 100 of 1,000 streams, and
 * its operator would raise the limit that protects the memory. Also rejected: all of them for a tenant that is alone. Streams last, so
 * that the second tenant would find none.
 */
export function admission(open: OpenCounts, streamsMax: number): Admission {
  const { free, ofTenantMax, ofHumanMax } = sharesOf(open, streamsMax);
  if (open.ofTenant >= ofTenantMax) return 'tenant-share-used';
  if (open.ofHuman >= ofHumanMax) return 'human-share-used';
  return free > 0 ? 'open' : 'full';
}

/** What the human may have open now, and how many more. */
export function ownShare(open: OpenCounts, streamsMax: number): { readonly quota: number; readonly remaining: number } {
  const { free, ofTenantMax, ofHumanMax } = sharesOf(open, streamsMax);
  const remaining = Math.max(0, Math.min(free, ofTenantMax - open.ofTenant, ofHumanMax - open.ofHuman));
  return { quota: ofHumanMax, remaining };
}

function sharesOf({ inAll }: OpenCounts, streamsMax: number) {
  const free = streamsMax - inAll;
  const ofTenantMax = Math.max(1, Math.floor(streamsMax / TENANTS_AT_LEAST), free);
  return { free, ofTenantMax, ofHumanMax: Math.ceil(ofTenantMax / 2) };
}
