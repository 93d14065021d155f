import { property, assert, array, integer } from 'fast-check';
import { admission } from './stream-share.js';

/** Each opens as many as possible, in this order; returns how many each one got. */
function fill(streamsMax: number, asked: readonly { readonly tenant: string; readonly human: string }[]): number[] {
  const counts = new Map<string, number>();
  const count = (name: string): number => counts.get(name) ?? 0;
  let inAll = 0;
  return asked.map(({ tenant, human }) => {
    let opened = 0;
    while (admission({ inAll, ofTenant: count(tenant), ofHuman: count(human) }, streamsMax) === 'open') {
      for (const name of [tenant, human]) counts.set(name, count(name) + 1);
      inAll++;
      opened++;
    }
    return opened;
  });
}

describe('the share of streams', () => {
  it('of a human is a third of all while no one else is there, and that of their tenant half', () => {
    expect(fill(1_000, [{ tenant: 't', human: 'a' }])).toEqual([334]);
    const colleagues = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((human) => ({ tenant: 't', human }));
    const opened = fill(1_000, colleagues);
    expect(opened.reduce((sum, one) => sum + one)).toBe(500);
    expect(opened[1]).toBeGreaterThan(0);
  });

  it('is one at least, however few there are', () => {
    expect(fill(1, [{ tenant: 't', human: 'a' }])).toEqual([1]);
    expect(fill(2, [{ tenant: 't', human: 'a' }, { tenant: 'u', human: 'b' }])).toEqual([1, 1]); // prettier-ignore
  });

  it('of a human is one, in however many tenants they are', () => {
    const everywhere = Array.from({ length: 50 }, (_, n) => ({ tenant: `t${n}`, human: 'a' }));
    expect(fill(1_000, everywhere).reduce((sum, one) => sum + one)).toBe(334);
  });

  it('that is used up is reported as such, also where the instance is full; below the share, that it is full', () => {
    const open = { inAll: 1_000, ofTenant: 100, ofHuman: 10 };
    expect(admission(open, 1_000)).toBe('tenant-share-used');
    expect(admission({ ...open, ofTenant: 99, ofHuman: 50 }, 1_000)).toBe('human-share-used');
    expect(admission({ ...open, ofTenant: 99 }, 1_000)).toBe('full');
  });

  it('of the next tenant is at least a tenth, whatever one other has taken, by however many humans', () => {
    const humans = array(integer({ min: 0, max: 30 }), {
      maxLength: 40,
    });
    assert(
      property(integer({ min: 2, max: 2_000 }), humans, (streamsMax, flood) => {
        const asked = flood.map((human) => ({ tenant: 'loud', human: `loud-${human}` }));
        const quiet = Array.from({ length: 10 }, (_, n) => ({ tenant: 'quiet', human: `quiet-${n}` }));
        const opened = fill(streamsMax, [...asked, ...quiet]).slice(asked.length);
        expect(opened[0]).toBeGreaterThan(0);
        expect(opened.reduce((sum, one) => sum + one)).toBeGreaterThanOrEqual(Math.floor(streamsMax / 10));
      }),
    );
  });
});
