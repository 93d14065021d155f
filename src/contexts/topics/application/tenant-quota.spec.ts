import type { LimitLeft } from '../../../kernel/limit-left.js';
import type { NewEvent } from '../../../platform/event-log/index.js';
import type { KeptResponseShares } from '../../../platform/http/kept-response-shares.js';
import type { TopicCatalog } from './ports.js';
import { TenantQuota } from './tenant-quota.js';

interface Limits {
  readonly eventsPerSecond: number | null;
  readonly storageBytes: number | null;
}

let now: number;
let limits: Limits;
let sums: number;
let quota: TenantQuota;

beforeEach(() => {
  now = 1_000;
  sums = 0;
  limits = { eventsPerSecond: 10, storageBytes: null };
  quota = new TenantQuota(
    { storedBytes: () => Promise.resolve((sums++, 900)) } as unknown as TopicCatalog,
    { bytesOf: () => 0 } as unknown as KeptResponseShares,
    { now: () => now },
  );
});

/** What is left for a tenant that publishes so many events, or the code of the refusal and when to retry. */
async function publish(count: number, tenantId = 'acme'): Promise<unknown[]> {
  const left: LimitLeft[] = [];
  try {
    await quota.take(
      tenantId,
      limits,
      Array.from({ length: count }, () => ({ bytes: 10 }) as NewEvent),
      (one) => left.push(one),
    );
    return left.map(({ remaining }) => remaining);
  } catch (error) {
    const { code, extensions } = error as { code: string; extensions: { retryAfterSeconds: number } };
    return [code, extensions.retryAfterSeconds];
  }
}

describe('what a tenant may publish', () => {
  it('is a rate a second; a batch that is larger passes when nothing was used, and leaves a debt', async () => {
    expect([await publish(4), await publish(6), await publish(1)]).toEqual([[6], [0], ['tenant-rate-limited', 1]]);
    now += 1_000;
    expect([await publish(35), await publish(1)]).toEqual([[-25], ['tenant-rate-limited', 3]]);
    now += 2_600;
    expect(await publish(1)).toEqual([0]);
  });

  it('is nothing at a rate of 0, and everything where nothing is limited', async () => {
    limits = { eventsPerSecond: 0, storageBytes: null };
    expect(await publish(1)).toEqual(['tenant-rate-limited', 60]);
    limits = { eventsPerSecond: null, storageBytes: null };
    expect(await publish(10_000)).toEqual([]);
  });

  it('is what there is room for, summed every ten seconds and counted in between; what is refused takes nothing of the rate', async () => {
    limits = { eventsPerSecond: 10, storageBytes: 1_000 };
    expect([await publish(6), await publish(5)]).toEqual([
      [40, 4],
      ['tenant-storage-full', 60],
    ]);
    expect([await publish(4), sums]).toEqual([[0, 0], 1]);
    now += 10_001;
    expect([await publish(1), sums]).toEqual([[90, 9], 2]);
  });

  it('is remembered for 50,000 tenants, and not forgotten for one that keeps publishing', async () => {
    const others = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n++) await publish(1, `tenant-${n}`);
    };
    await publish(10);
    await publish(10, 'quiet');
    await others(0, 25_000);
    expect(await publish(1)).toEqual(['tenant-rate-limited', 1]);
    await others(25_000, 49_999);
    expect([await publish(1), await publish(1, 'quiet')]).toEqual([['tenant-rate-limited', 1], [9]]);
  });
});
