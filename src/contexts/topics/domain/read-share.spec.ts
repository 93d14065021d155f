import { array, assert, dictionary, double, property } from 'fast-check';
import { BURST_MS, READS_SHARE, ReadShares, TENANT_SHARE } from './read-share.js';

interface Run {
  readonly tenantId: string;
  readonly beganMs: number;
  readonly tookMs: number;
}

/** As a process would: the next piece begins as soon as it may. A tenant whose piece ends asks again, as readers of a whole topic do. */
function run(pieces: Readonly<Record<string, readonly number[]>>, untilMs: number): Run[] {
  const shares = new ReadShares<number>();
  const rest = new Map(Object.entries(pieces).map(([tenantId, own]) => [tenantId, { own, at: 0 }]));
  const ask = (tenantId: string, nowMs: number): void => {
    const work = rest.get(tenantId)!;
    shares.add(tenantId, work.own[work.at++ % work.own.length]!, nowMs);
  };
  for (const tenantId of rest.keys()) ask(tenantId, 0);
  const runs: Run[] = [];
  for (let nowMs = 0; ;) {
    const { tenantId, piece, atMs } = shares.next()!;
    nowMs = Math.max(nowMs, atMs);
    if (nowMs >= untilMs) return runs;
    runs.push({ tenantId, beganMs: nowMs, tookMs: piece });
    nowMs += piece;
    shares.done(tenantId, runs.at(-1)!.beganMs, piece);
    ask(tenantId, nowMs);
  }
}

const spentBy = (runs: readonly Run[], tenantId?: string): number =>
  runs.reduce((sum, one) => (tenantId === undefined || one.tenantId === tenantId ? sum + one.tookMs : sum), 0);

const COSTLIEST_MS = 120;
const someMs = double({ min: 1, max: COSTLIEST_MS, noNaN: true });
const someTenants = dictionary(
  double({ min: 0, max: 1, noNaN: true }).map((n) => `t${n}`),
  array(someMs, { minLength: 1, maxLength: 10 }),
  { minKeys: 1, maxKeys: 6 },
);

describe('the time that filters take', () => {
  it('of one tenant is a fifth at most, except for what it may take at once', () => {
    const runs = run({ loud: [20] }, 60_000);
    expect(spentBy(runs)).toBeGreaterThan(60_000 * TENANT_SHARE - COSTLIEST_MS);
    expect(spentBy(runs)).toBeLessThan(60_000 * TENANT_SHARE + BURST_MS + COSTLIEST_MS);
  });

  it('of all together and of each is within its share in every stretch of time, however long the pieces are', () => {
    assert(
      property(someTenants, (pieces) => {
        const runs = run(pieces, 5_000);
        for (let from = 0; from < runs.length; from += 50) {
          const stretch = runs.slice(from);
          const lengthMs = 5_000 - stretch[0]!.beganMs;
          expect(spentBy(stretch)).toBeLessThanOrEqual(lengthMs * READS_SHARE + COSTLIEST_MS);
          for (const tenantId of Object.keys(pieces)) {
            const allowedMs = lengthMs * TENANT_SHARE + BURST_MS + COSTLIEST_MS;
            expect(spentBy(stretch, tenantId)).toBeLessThanOrEqual(allowedMs);
          }
        }
      }),
    );
  });

  it('is the same for all tenants that filter at once, up to one piece: more readers or expensive filters gain nothing', () => {
    assert(
      property(someTenants, (pieces) => {
        const runs = run(pieces, 5_000);
        const spent = Object.keys(pieces).map((tenantId) => spentBy(runs, tenantId));
        expect(Math.max(...spent) - Math.min(...spent)).toBeLessThanOrEqual(COSTLIEST_MS);
      }),
    );
  });

  it('that a tenant did not ask for is not kept for it: a late one goes next, and then in turn', () => {
    const shares = new ReadShares<string>();
    let nowMs = 0;
    for (let n = 0; n < 100; n++) {
      shares.add('loud', 'loud', nowMs);
      nowMs = Math.max(nowMs, shares.next()!.atMs);
      shares.done('loud', nowMs, 20);
      nowMs += 20;
    }
    const order: string[] = [];
    for (let n = 0; n < 10; n++) for (const name of ['loud', 'late']) shares.add(name, name, nowMs);
    for (let n = 0; n < 8; n++) {
      const { tenantId, piece, atMs } = shares.next()!;
      order.push(piece);
      nowMs = Math.max(nowMs, atMs);
      shares.done(tenantId, nowMs, 20);
      nowMs += 20;
    }
    expect(order).toEqual(['late', 'loud', 'late', 'loud', 'late', 'loud', 'late', 'loud']);
  });

  it('never makes cheap filters wait', () => {
    const shares = new ReadShares<string>();
    for (let nowMs = 0; nowMs < 1_000; nowMs += 1) {
      shares.add('t', 'cheap', nowMs);
      expect(shares.next()!.atMs).toBeLessThanOrEqual(nowMs);
      shares.done('t', nowMs, 0.1);
    }
  });
});
