import { ACTIONS } from '../../../kernel/actions.js';
import { closedTo } from './openness.js';

const yes = (): boolean => true;
const no = (): boolean => false;

describe('a tenant that is being deleted', () => {
  it('is closed to everything but reading and deleting it, for all callers', () => {
    const open = ACTIONS.filter((action) => closedTo(action, 'deleting', yes) === undefined);
    expect(open).toEqual(['tenant:read', 'tenant:delete']);
    expect(ACTIONS.filter((action) => closedTo(action, 'deleting', no) === undefined)).toEqual(open);
    expect(closedTo('event:publish', 'deleting', yes)).toBe('tenant-deleting');
    expect(closedTo('tenant:suspend', 'deleting', yes)).toBe('tenant-deleting');
  });
});

describe('a suspended tenant', () => {
  it('is closed to everything for callers that may not suspend tenants', () => {
    expect(ACTIONS.filter((action) => closedTo(action, 'suspended', no) === undefined)).toEqual([]);
    expect(closedTo('tenant:read', 'suspended', no)).toBe('tenant-suspended');
  });

  it('is open to actions on the tenant itself for callers that may suspend tenants', () => {
    const open = ACTIONS.filter((action) => closedTo(action, 'suspended', yes) === undefined);
    expect(open).toEqual(ACTIONS.filter((action) => action.startsWith('tenant:')));
    expect(open.length).toBeGreaterThan(0);
  });
});

it.each(['active', undefined] as const)('a tenant in the state %s is open to everything that is permitted', (state) => {
  expect(ACTIONS.filter((action) => closedTo(action, state, no) !== undefined)).toEqual([]);
});
