import { Injectable } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { ManagementWatch } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { authorizationStale } from '../../identity/index.js';
import { withoutLockout } from '../domain/lockout.js';
import { Policy } from '../domain/policy.js';
import { RuleStore, type PrincipalName, type PrincipalRules, type TenantRules } from './ports.js';
import { NO_RULES, rulesFor } from './rules-of.js';

/** Of principals in tenants. */
const POLICIES_MAX = 50_000;
/** Of all policies together: 0.1 kB for one that comes from a group or role, 0.6 kB for one of the principal alone. */
const RULES_MAX = 500_000;
const TENANTS_MAX = 5_000;
/** Older knowledge is not acted on: a revocation holds everywhere within a second. */
const TRUSTED_MS = 1_000;
const LOADS_MAX = 5;

/** A tenant's rules, and the policies that were compiled with them: they are forgotten together. */
interface KnownTenant {
  readonly rules: TenantRules;
  readonly policies: Map<string, Policy>;
}

/**
 * Compiled permissions of principals by tenant, from memory. Only what is granted is kept, never a decision. A change in a tenant
 * outdates what depends on it the moment that it is committed here or heard of from another instance; one in the system outdates all.
 */
@Injectable()
export class Policies {
  /** By tenant first: there are few of them, so that of the way to a policy most lies near in memory. */
  private readonly tenants = new Map<string, KnownTenant>();
  /** In which tenants a principal has policies; who was met first stands first. */
  private readonly principals = new Map<string, Set<KnownTenant>>();
  private count = 0;
  private rulesTotal = 0;
  private changes = 0;

  constructor(
    private readonly store: RuleStore,
    private readonly watch: ManagementWatch,
  ) {}

  /** At once where it is remembered. Rejects while permissions cannot be verified. */
  of(tenantId: string, principal: PrincipalName): Policy | Promise<Policy> {
    const policy = this.tenants.get(tenantId)?.policies.get(principal.id);
    if (policy && this.watch.ageMs <= TRUSTED_MS) return policy;
    return this.load(tenantId, principal);
  }

  /** As a transaction sees it, which has one connection: nothing comes from memory, one after the other. */
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

  /** What was granted to everybody in a tenant has changed; in the system, on which all depend, that outdates all. */
  outdateTenant(tenantId: string): void {
    this.changes++;
    this.forgetTenant(tenantId);
    if (tenantId === SYSTEM_TENANT) for (const id of this.principals.keys()) this.forgetPrincipal(id);
  }

  outdatePrincipal(id: string): void {
    this.changes++;
    this.forgetPrincipal(id);
  }

  /** A tenant, or something in it, ended: what was granted there ended with it, also by the system. */
  outdateEnded(tenantId: string): void {
    this.outdateTenant(tenantId);
    const system = this.tenants.get(SYSTEM_TENANT);
    if (!system) return;
    const below = `tenants/${tenantId}`;
    const names = (resource: string): boolean => resource === below || resource.startsWith(`${below}/`);
    if (system.rules.grants.some(({ resource }) => names(resource))) return this.outdateTenant(SYSTEM_TENANT);
    for (const [id, { rules }] of system.policies)
      if (rules.some(({ resource }) => names(resource.text))) this.forgetPrincipal(id);
  }

  outdateAll(): void {
    this.outdateTenant(SYSTEM_TENANT);
    this.tenants.clear();
  }

  private async load(tenantId: string, principal: PrincipalName): Promise<Policy> {
    if (this.watch.ageMs > TRUSTED_MS) await this.watch.catchUp().catch(refuse);
    for (let attempt = 1; ; attempt++) {
      const before = this.changes;
      const [tenant, system, own, global] = await Promise.all([
        this.tenantOf(tenantId),
        this.tenantOf(SYSTEM_TENANT),
        this.store.principalRules(tenantId, principal),
        tenantId === SYSTEM_TENANT ? NO_RULES : this.store.principalRules(SYSTEM_TENANT, principal),
      ]).catch(refuse);
      // What changed while it was read may be missing in it.
      if (before !== this.changes && attempt < LOADS_MAX) continue;
      const policy = compiled(tenantId, [tenant.rules, own], [system.rules, global]);
      if (before === this.changes && this.tenants.get(tenantId) === tenant) this.remember(tenant, principal.id, policy);
      return policy;
    }
  }

  private async tenantOf(tenantId: string): Promise<KnownTenant> {
    const known = this.tenants.get(tenantId);
    if (known) return known;
    const before = this.changes;
    const rules = await this.store.tenantRules(tenantId);
    const current = this.tenants.get(tenantId);
    if (current) return current;
    const tenant = { rules, policies: new Map<string, Policy>() };
    if (before === this.changes) {
      if (this.tenants.size >= TENANTS_MAX) this.forgetOneTenant();
      this.tenants.set(tenantId, tenant);
    }
    return tenant;
  }

  private remember(tenant: KnownTenant, principalId: string, policy: Policy): void {
    let places = this.principals.get(principalId);
    if (!places) this.principals.set(principalId, (places = new Set()));
    this.drop(tenant, principalId);
    places.add(tenant);
    tenant.policies.set(principalId, policy);
    this.count++;
    this.rulesTotal += policy.rules.length;
    while (this.count > POLICIES_MAX || (this.rulesTotal > RULES_MAX && this.principals.size > 1))
      this.forgetPrincipal(this.principals.keys().next().value!);
  }

  private drop({ policies }: KnownTenant, principalId: string): void {
    const policy = policies.get(principalId);
    if (!policy) return;
    policies.delete(principalId);
    this.count--;
    this.rulesTotal -= policy.rules.length;
  }

  private forgetPrincipal(principalId: string): void {
    for (const tenant of this.principals.get(principalId) ?? []) this.drop(tenant, principalId);
    this.principals.delete(principalId);
  }

  private forgetTenant(tenantId: string): void {
    const tenant = this.tenants.get(tenantId);
    this.tenants.delete(tenantId);
    for (const principalId of tenant?.policies.keys() ?? []) {
      this.drop(tenant!, principalId);
      const places = this.principals.get(principalId)!;
      places.delete(tenant!);
      if (places.size === 0) this.principals.delete(principalId);
    }
  }

  /** Not the system, on which all depend. */
  private forgetOneTenant(): void {
    for (const tenantId of this.tenants.keys()) if (tenantId !== SYSTEM_TENANT) return this.forgetTenant(tenantId);
  }
}

type Sources = readonly [tenant: TenantRules, own: PrincipalRules];

const compiled = (tenantId: string, inTenant: Sources, inSystem: Sources): Policy =>
  new Policy(withoutLockout(tenantId, rulesFor(tenantId, ...inTenant), rulesFor(SYSTEM_TENANT, ...inSystem)));

function refuse(cause: unknown): never {
  throw authorizationStale(cause);
}
