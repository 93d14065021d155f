import { ACTIONS } from '../../../kernel/actions.js';
import { closedTo } from './openness.js';

const yes = (): boolean => true;
const no = (): boolean => false;

describe('a tenant that is being deleted', () => {
  it('is closed to everything but a look at it, and its deletion, whoever asks', () => {
    const open = ACTIONS.filter((action) => closedTo(action, 'deleting', yes) === undefined);
    expect(open).toEqual(['tenant:read', 'tenant:delete']);
    expect(ACTIONS.filter((action) => closedTo(action, 'deleting', no) === undefined)).toEqual(open);
    expect(closedTo('event:publish', 'deleting', yes)).toBe('tenant-deleting');
    expect(closedTo('tenant:suspend', 'deleting', yes)).toBe('tenant-deleting');
  });
});

describe('a suspended tenant', () => {
  it('is closed to everything for who may not suspend tenants', () => {
    expect(ACTIONS.filter((action) => closedTo(action, 'suspended', no) === undefined)).toEqual([]);
    expect(closedTo('tenant:read', 'suspended', no)).toBe('tenant-suspended');
  });

  it('is open, for who may suspend tenants, to what concerns the tenant itself', () => {
    const open = ACTIONS.filter((action) => closedTo(action, 'suspended', yes) === undefined);
    expect(open).toEqual(ACTIONS.filter((action) => action.startsWith('tenant:')));
    expect(open.length).toBeGreaterThan(0);
  });
});

it.each(['active', undefined] as const)('a tenant in the state %s is open to everything that is permitted', (state) => {
  expect(ACTIONS.filter((action) => closedTo(action, state, no) !== undefined)).toEqual([]);
});
