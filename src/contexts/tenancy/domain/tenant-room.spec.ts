import { requireOpen, requireRoom, type TenantRoom } from './tenant-room.js';

const code = (work: () => void): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};
const room = (changes: Partial<TenantRoom>): TenantRoom => ({ status: 'active', held: 0, max: null, ...changes });

describe('room in a tenant', () => {
  it.each<[string, TenantRoom | undefined, string | undefined]>([
    ['without a limit, whatever it holds', room({ held: 1_000_000 }), undefined],
    ['up to the limit', room({ held: 2, max: 3 }), undefined],
    ['not beyond it', room({ held: 3, max: 3 }), 'tenant-limit-reached'],
    ['not where the limit was lowered below what is there', room({ held: 5, max: 3 }), 'tenant-limit-reached'],
    ['not of a kind that it may have none of', room({ max: 0 }), 'tenant-limit-reached'],
    ['in one that is suspended', room({ status: 'suspended' }), undefined],
    ['not in one that is being deleted, which is said first', room({ status: 'deleting', max: 0 }), 'tenant-deleting'],
    ['not in one that is gone', undefined, 'tenant-not-found'],
  ])('is there: %s', (_, found, refusal) => {
    expect(code(() => requireRoom('acme', 'topics', found))).toBe(refusal);
  });

  it('names the kind and the limit', () => {
    expect(() => requireRoom('acme', 'topics', room({ held: 3, max: 3 }))).toThrow('Tenant "acme" may have 3 topics.');
  });

  it.each([
    ['active', undefined],
    ['suspended', undefined],
    ['deleting', 'tenant-deleting'],
    [undefined, 'tenant-not-found'],
  ] as const)('is open to what comes into it while it is %s: refused with %s', (status, refusal) => {
    expect(code(() => requireOpen('acme', status))).toBe(refusal);
  });
});
