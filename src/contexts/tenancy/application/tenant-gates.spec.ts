import type { ManagementWatch } from '../../../platform/event-log/index.js';
import type { TenantCatalog } from './ports.js';
import { TenantGates } from './tenant-gates.js';

const STORED = { tenantUid: 'life-1', state: 'active', effectiveLimits: { topics: 1 } };
const REAL = { tenantUid: 'life-1', state: 'active', limits: { topics: 1 } };

/** For a catalog with `acme` and what is added; records what it is asked. */
function gatesOf() {
  const tenants = new Map<string, object>([['acme', STORED]]);
  const asked: string[] = [];
  const watch = { ageMs: 0 };
  const find = async (id: string): Promise<unknown> => (asked.push(id), tenants.get(id));
  const gates = new TenantGates({ find } as unknown as TenantCatalog, watch as unknown as ManagementWatch);
  const make = (id: string): void => {
    tenants.set(id, STORED);
    gates.forget(id);
  };
  return { gates, asked, make };
}

describe('a tenant that does not exist', () => {
  it('is looked up once, and exists from the moment that it is created', async () => {
    const { gates, asked, make } = gatesOf();
    expect(await gates.of('none')).toBeNull();
    expect(gates.of('none')).toBeNull();
    expect(asked).toEqual(['none']);
    make('none');
    expect(await gates.of('none')).toEqual(REAL);
    expect(gates.of('none')).toEqual(REAL);
  });

  it('is not looked up where no tenant can have the name', () => {
    const { gates, asked } = gatesOf();
    for (const name of ['A', '-a', 'a..b', 'x'.repeat(64), '', '$other', '__proto__', 'a/b']) {
      expect(gates.of(name)).toBeNull();
    }
    expect(asked).toEqual([]);
  });

  it('evicts none that does, however many are invented', async () => {
    const { gates } = gatesOf();
    await gates.of('acme');
    for (let i = 0; i < 10_001; i++) await gates.of(`invented-${i}`);
    expect(gates.of('acme')).toEqual(REAL);
    expect(gates.of('invented-0')).toBeInstanceOf(Promise);
    expect(gates.of('invented-1')).toBeNull();
  });
});
