import { Injectable } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { ManagementWatch, WatchedCache } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { authorizationStale } from '../../identity/index.js';
import { withoutLockout } from '../domain/lockout.js';
import { Policy } from '../domain/policy.js';
import { RuleStore, type PrincipalName, type PrincipalRules, type TenantRules } from './ports.js';
import { NO_RULES, rulesFor } from './rules-for.js';

/** Of principals in tenants. */
const POLICIES_MAX = 50_000;
/** Of all policies together: 0.1 kB for one that comes from a group or role, 0.6 kB for one of the principal alone. */
const RULES_MAX = 500_000;
const TENANTS_MAX = 5_000;
const LOADS_MAX = 5;

interface KnownPolicy {
  readonly tenantId: string;
  readonly principalId: string;
  readonly policy: Policy;
}

/**
 * Compiled permissions of principals by tenant, cached. Only what is granted is cached, never a decision. A change in a tenant invalidates
 * what depends on it as soon as it is committed here or another instance reports it; one in the system invalidates all.
 */
@Injectable()
export class Policies {
  private readonly rules: WatchedCache<TenantRules>;
  private readonly policies: WatchedCache<KnownPolicy>;
  /**
   * The same policies by tenant, then principal. Tenants are few, so most of a lookup stays in the cache of the processor, and no key is
   * concatenated: 0.14 µs, where a key of both took 0.38 (best of 25 rounds over 10,000 principals).
   */
  private readonly byTenant = new Map<string, Map<string, Policy>>();

  constructor(
    private readonly store: RuleStore,
    private readonly watch: ManagementWatch,
  ) {
    this.rules = new WatchedCache(watch, { max: TENANTS_MAX });
    this.policies = new WatchedCache(watch, {
      max: POLICIES_MAX,
      sizes: { max: RULES_MAX, of: ({ policy }) => policy.rules.length },
      dependsOn: ({ tenantId, principalId }) => [tenantId, principalId],
      readsMax: LOADS_MAX,
      onKept: (known) => this.place(known),
      onDropped: (known) => this.displace(known),
    });
  }

  /** Synchronous where it is cached. Rejects while permissions cannot be verified. */
  of(tenantId: string, principal: PrincipalName): Policy | Promise<Policy> {
    const policy = this.byTenant.get(tenantId)?.get(principal.id);
    return policy && !this.policies.stale ? policy : this.load(tenantId, principal);
  }

  /** As a transaction sees it: nothing comes from the cache, and queries run one after the other on its one connection. */
  async within(sql: Sql, tenantId: string, principal: PrincipalName): Promise<Policy> {
    const store = this.store.within(sql);
    const inTenant = [await store.tenantRules(tenantId), await store.principalRules(tenantId, principal)] as const;
    if (tenantId === SYSTEM_TENANT) return compiled(tenantId, inTenant, [inTenant[0], NO_RULES]);
    const inSystem = [
      await store.tenantRules(SYSTEM_TENANT),
      await store.principalRules(SYSTEM_TENANT, principal),
    ] as const;
    return compiled(tenantId, inTenant, inSystem);
  }

  /** The rules of a whole tenant have changed; those of the system, on which all depend, invalidate all. */
  invalidateTenant(tenantId: string): void {
    this.rules.forget(tenantId);
    if (tenantId === SYSTEM_TENANT) this.policies.forgetAll();
    else this.policies.forgetDependents(tenantId);
  }

  invalidatePrincipal(id: string): void {
    this.policies.forgetDependents(id);
  }

  /** A tenant, or something in it, was deleted, and with it what was granted there, also by the system. */
  invalidateDeleted(tenantId: string): void {
    this.invalidateTenant(tenantId);
    const below = `tenants/${tenantId}`;
    const names = (resource: string): boolean => resource === below || resource.startsWith(`${below}/`);
    const system = this.rules.peek(SYSTEM_TENANT);
    if (system?.grants.some(({ resource }) => names(resource))) return this.invalidateTenant(SYSTEM_TENANT);
    for (const [id, { rules }] of this.byTenant.get(SYSTEM_TENANT) ?? [])
      if (rules.some(({ resource }) => names(resource.text))) this.invalidatePrincipal(id);
  }

  invalidateAll(): void {
    this.rules.forgetAll();
    this.policies.forgetAll();
  }

  private async load(tenantId: string, principal: PrincipalName): Promise<Policy> {
    if (this.policies.stale) await this.watch.catchUp().catch(refuse);
    const read = async (): Promise<KnownPolicy> => {
      const [tenant, system, own, global] = await Promise.all([
        this.rulesOf(tenantId),
        this.rulesOf(SYSTEM_TENANT),
        this.store.principalRules(tenantId, principal),
        tenantId === SYSTEM_TENANT ? NO_RULES : this.store.principalRules(SYSTEM_TENANT, principal),
      ]).catch(refuse);
      return { tenantId, principalId: principal.id, policy: compiled(tenantId, [tenant, own], [system, global]) };
    };
    return (await this.policies.load(`${tenantId} ${principal.id}`, read)).policy;
  }

  /** Of several concurrent reads the first is kept for all, so that their policies share its rules. */
  private async rulesOf(tenantId: string): Promise<TenantRules> {
    const read = async (): Promise<TenantRules> => {
      const rules = await this.store.tenantRules(tenantId);
      return this.rules.get(tenantId) ?? rules;
    };
    return this.rules.get(tenantId) ?? this.rules.load(tenantId, read);
  }

  private place({ tenantId, principalId, policy }: KnownPolicy): void {
    const policies = this.byTenant.get(tenantId);
    if (policies) policies.set(principalId, policy);
    else this.byTenant.set(tenantId, new Map([[principalId, policy]]));
  }

  private displace({ tenantId, principalId }: KnownPolicy): void {
    const policies = this.byTenant.get(tenantId)!;
    policies.delete(principalId);
    if (policies.size === 0) this.byTenant.delete(tenantId);
  }
}

type Sources = readonly [tenant: TenantRules, own: PrincipalRules];

const compiled = (tenantId: string, inTenant: Sources, inSystem: Sources): Policy =>
  new Policy(withoutLockout(tenantId, rulesFor(tenantId, ...inTenant), rulesFor(SYSTEM_TENANT, ...inSystem)));

function refuse(cause: unknown): never {
  throw authorizationStale(cause);
}
