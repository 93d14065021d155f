import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { ManagementWatch } from '../../../platform/event-log/index.js';
import { Policy } from '../domain/policy.js';
import { InvalidatePolicies, InvalidatePoliciesHandler } from './invalidate-policies.js';
import { Policies } from './policies.js';
import { RuleStore, type GrantView, type PrincipalRules, type TenantRules } from './ports.js';

const NONE: TenantRules = { roles: [], groupRoles: [], nesting: [], grants: [] };

/** A tenant in which all users are in one group, which has many grants. */
class OneLargeGroup extends RuleStore {
  private readonly grants: readonly GrantView[];

  constructor(count: number) {
    super();
    this.grants = Array.from({ length: count }, (_, i) => ({
      tenantId: 'acme',
      grantId: `grt_${i}`,
      principal: { kind: 'group', id: 'all' },
      effect: 'allow',
      actions: ['event:read'],
      resource: `tenants/acme/namespaces/shop/topics/topic-${i}`,
      constraints: null,
      version: 1,
      createdAt: 0,
    }));
  }

  async tenantRules(tenantId: string): Promise<TenantRules> {
    return tenantId === SYSTEM_TENANT ? NONE : { ...NONE, grants: this.grants };
  }

  async principalRules(tenantId: string): Promise<PrincipalRules> {
    return { roles: [], groups: tenantId === SYSTEM_TENANT ? [] : ['all'], grants: [] };
  }

  within(): RuleStore {
    return this;
  }
}

/** The system has granted the first user something in one tenant, and the others nothing. */
class GrantedInShop extends RuleStore {
  async tenantRules(): Promise<TenantRules> {
    return NONE;
  }

  within(): RuleStore {
    return this;
  }

  async principalRules(tenantId: string, { id }: { readonly id: string }): Promise<PrincipalRules> {
    const grant = {
      tenantId,
      grantId: 'grt_1',
      principal: { kind: 'user', id },
      effect: 'allow',
      actions: ['topic:read'],
      resource: 'tenants/acme/namespaces/shop',
      constraints: null,
      version: 1,
      createdAt: 0,
    } as const;
    return { roles: [], groups: [], grants: id === 'usr_1' ? [grant] : [] };
  }
}

const quietWatch = { ageMs: 0 } as unknown as ManagementWatch;
const invalidate = (policies: Policies, which: InvalidatePolicies['which']): void =>
  void new InvalidatePoliciesHandler(policies).execute(new InvalidatePolicies(which));
const user = (number: number) => ({ kind: 'user', id: `usr_${number}` }) as const;

describe('policies in memory', () => {
  it('are bounded by the number of their rules together', async () => {
    const policies = new Policies(new OneLargeGroup(5_000), quietWatch);
    for (let i = 0; i < 120; i++) await policies.of('acme', user(i));
    for (let i = 20; i < 120; i++) expect(policies.of('acme', user(i))).toBeInstanceOf(Policy);
    expect(policies.of('acme', user(19))).toBeInstanceOf(Promise);
  });

  it('are kept even where a single one is beyond the bound', async () => {
    const policies = new Policies(new OneLargeGroup(500_001), quietWatch);
    await policies.of('acme', user(1));
    expect(policies.of('acme', user(1))).toBeInstanceOf(Policy);
  });

  it.each([
    ['in a tenant invalidates those of the tenant', { tenantId: 'acme' }, ['other 1', 'other 2']],
    ['in the system invalidates all', { tenantId: SYSTEM_TENANT }, []],
    ['of one user invalidates theirs, everywhere', { principalId: 'usr_1' }, ['acme 2', 'other 2']],
    ['that was missed invalidates all', 'all', []],
  ] as const)('know that a change %s', async (_, which, left) => {
    const policies = new Policies(new OneLargeGroup(1), quietWatch);
    const places = ['acme', 'other'].flatMap((tenantId) => [1, 2].map((number) => ({ tenantId, number })));
    for (const { tenantId, number } of places) await policies.of(tenantId, user(number));
    invalidate(policies, which);
    const cached = places.filter(({ tenantId, number }) => policies.of(tenantId, user(number)) instanceof Policy);
    expect(cached.map(({ tenantId, number }) => `${tenantId} ${number}`)).toEqual(left);
    for (const { tenantId, number } of places) await policies.of(tenantId, user(number));
    for (const { tenantId, number } of places) expect(policies.of(tenantId, user(number))).toBeInstanceOf(Policy);
  });

  it.each([
    ['something in a tenant', { endedIn: 'acme' }, 'usr_1'],
    ['something in another tenant', { endedIn: 'other' }, undefined],
    ['a user', { principalId: 'usr_2' }, 'usr_2'],
  ] as const)('know that the end of %s ends what the system granted', async (_, which, invalidated) => {
    const policies = new Policies(new GrantedInShop(), quietWatch);
    for (const number of [1, 2]) await policies.of(SYSTEM_TENANT, user(number));
    invalidate(policies, which);
    const [one, other] = [1, 2].map((number) => policies.of(SYSTEM_TENANT, user(number)) instanceof Policy);
    expect([one, other]).toEqual([invalidated !== 'usr_1', invalidated !== 'usr_2']);
  });

  it('share the rules that come from a group', async () => {
    const policies = new Policies(new OneLargeGroup(1), quietWatch);
    const [one, other] = [await policies.of('acme', user(1)), await policies.of('acme', user(2))];
    expect(one.rules).toHaveLength(1);
    expect(one.rules[0]).toBe(other.rules[0]);
  });
});
