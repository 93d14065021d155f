import { ACTIONS } from '../../../kernel/actions.js';
import { closureReason } from './tenant-closure.js';

const yes = (): boolean => true;
const no = (): boolean => false;

describe('a tenant that is being deleted', () => {
  it('is closed to everything but reading and deleting it, for all callers', () => {
    const open = ACTIONS.filter((action) => closureReason(action, 'deleting', yes) === undefined);
    expect(open).toEqual(['tenant:read', 'tenant:delete']);
    expect(ACTIONS.filter((action) => closureReason(action, 'deleting', no) === undefined)).toEqual(open);
    expect(closureReason('event:publish', 'deleting', yes)).toBe('tenant-deleting');
    expect(closureReason('tenant:suspend', 'deleting', yes)).toBe('tenant-deleting');
  });
});

describe('a suspended tenant', () => {
  it('is closed to everything for callers that may not suspend tenants', () => {
    expect(ACTIONS.filter((action) => closureReason(action, 'suspended', no) === undefined)).toEqual([]);
    expect(closureReason('tenant:read', 'suspended', no)).toBe('tenant-suspended');
  });

  it('is open to actions on the tenant itself for callers that may suspend tenants', () => {
    const open = ACTIONS.filter((action) => closureReason(action, 'suspended', yes) === undefined);
    expect(open).toEqual(ACTIONS.filter((action) => action.startsWith('tenant:')));
    expect(open.length).toBeGreaterThan(0);
  });
});

it.each(['active', undefined] as const)('a tenant in the state %s is open to everything that is permitted', (state) => {
  expect(ACTIONS.filter((action) => closureReason(action, state, no) !== undefined)).toEqual([]);
});
