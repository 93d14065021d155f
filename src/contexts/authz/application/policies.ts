import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { ManagementWatch, type StoredEvent } from '../../../platform/event-log/index.js';
import { authorizationStale } from '../../identity/index.js';
import { withoutLockout } from '../domain/lockout.js';
import { Policy } from '../domain/policy.js';
import { RuleStore, type PrincipalRules, type TenantRules } from './ports.js';
import { rulesFor } from './rules-of.js';

/** Of principals in tenants. */
const POLICIES_MAX = 50_000;
/** Of all policies together: 0.2 kB for one that comes from a group or role, 0.7 kB for one of the principal alone. */
const RULES_MAX = 500_000;
const TENANTS_MAX = 5_000;
/** Older knowledge is not acted on: a revocation holds everywhere within a second. */
const TRUSTED_MS = 1_000;
const LOADS_MAX = 5;

export type PrincipalName = { readonly kind: 'user' | 'apiKey'; readonly id: string };

interface Entry {
  readonly policy: Policy;
  /** What it was compiled with: of the tenant and of the system. It is outdated when these are no longer the ones in memory. */
  readonly tenant: TenantRules;
  readonly system: TenantRules;
}

/**
 * Compiled permissions of principals by tenant, from memory. Only what is granted is kept, never a decision. A change in a tenant
 * outdates what depends on it the moment that it is committed here or heard of from another instance.
 */
@Injectable()
export class Policies {
  /** By principal and tenant: both are at hand, so that a request makes no new string. */
  private readonly entries = new Map<string, Map<string, Entry>>();
  private count = 0;
  private readonly tenants = new Map<string, TenantRules>();
  private rulesTotal = 0;
  private changes = 0;

  constructor(
    private readonly store: RuleStore,
    private readonly watch: ManagementWatch,
  ) {
    watch.on(MANAGEMENT_TOPICS.permissions, (event) => this.forget(event));
    watch.on(MANAGEMENT_TOPICS.tenants, ({ type, stream }) => {
      if (type === 'tenant.deleted') this.outdate(stream!);
    });
  }

  /** At once where it is remembered. Rejects while permissions cannot be verified. */
  of(tenantId: string, principal: PrincipalName): Policy | Promise<Policy> {
    const entry = this.entries.get(principal.id)?.get(tenantId);
    if (entry && this.watch.ageMs <= TRUSTED_MS && this.isCurrent(tenantId, entry)) return entry.policy;
    return this.load(tenantId, principal);
  }

  private isCurrent(tenantId: string, { tenant, system }: Entry): boolean {
    return this.tenants.get(tenantId) === tenant && this.tenants.get(SYSTEM_TENANT) === system;
  }

  private async load(tenantId: string, principal: PrincipalName): Promise<Policy> {
    if (this.watch.ageMs > TRUSTED_MS) await this.watch.catchUp().catch(refuse);
    for (let attempt = 1; ; attempt++) {
      const before = this.changes;
      const [tenant, system, own, global] = await Promise.all([
        this.rulesOf(tenantId),
        this.rulesOf(SYSTEM_TENANT),
        this.store.principalRules(tenantId, principal),
        tenantId === SYSTEM_TENANT ? NOTHING : this.store.principalRules(SYSTEM_TENANT, principal),
      ]).catch(refuse);
      // What changed while it was read may be missing in it.
      if (before !== this.changes && attempt < LOADS_MAX) continue;
      const [inTenant, inSystem] = [rulesFor(tenantId, tenant, own), rulesFor(SYSTEM_TENANT, system, global)];
      const policy = new Policy(withoutLockout(tenantId, inTenant, inSystem));
      if (before === this.changes) this.remember(principal.id, tenantId, { policy, tenant, system });
      return policy;
    }
  }

  private async rulesOf(tenantId: string): Promise<TenantRules> {
    const known = this.tenants.get(tenantId);
    if (known) return known;
    const before = this.changes;
    const rules = await this.store.tenantRules(tenantId);
    const current = this.tenants.get(tenantId);
    if (current) return current;
    if (before === this.changes) {
      if (this.tenants.size >= TENANTS_MAX) this.tenants.delete(this.tenants.keys().next().value!);
      this.tenants.set(tenantId, rules);
    }
    return rules;
  }

  private remember(principalId: string, tenantId: string, entry: Entry): void {
    let ofPrincipal = this.entries.get(principalId);
    if (!ofPrincipal) this.entries.set(principalId, (ofPrincipal = new Map()));
    const earlier = ofPrincipal.get(tenantId);
    if (earlier) this.rulesTotal -= earlier.policy.rules.length;
    else this.count++;
    this.rulesTotal += entry.policy.rules.length;
    ofPrincipal.set(tenantId, entry);
    while (this.count > POLICIES_MAX || (this.rulesTotal > RULES_MAX && this.entries.size > 1))
      this.forgetPrincipal(this.entries.keys().next().value!);
  }

  private forgetPrincipal(principalId: string): void {
    for (const { policy } of this.entries.get(principalId)?.values() ?? []) {
      this.count--;
      this.rulesTotal -= policy.rules.length;
    }
    this.entries.delete(principalId);
  }

  private outdate(tenantId: string): void {
    this.changes++;
    this.tenants.delete(tenantId);
  }

  /** What concerns one user outdates his policies; everything else those of the tenant. */
  private forget({ type, key, data }: StoredEvent): void {
    this.changes++;
    const tenantId = key!;
    const { userId, principal, part, id } = JSON.parse(data) as Concerned;
    const one = userId ?? (part === 'user' ? id : undefined) ?? ofPrincipal(principal);
    if (one === undefined || type === 'group.deleted') this.outdate(tenantId);
    else this.forgetPrincipal(one);
  }
}

interface Concerned {
  readonly userId?: string;
  readonly principal?: { readonly kind: string; readonly id: string };
  readonly part?: string;
  readonly id?: string;
}

const NOTHING: Promise<PrincipalRules> = Promise.resolve({ member: false, roles: [], groups: [], grants: [] });

const ofPrincipal = (principal: Concerned['principal']): string | undefined =>
  principal?.kind === 'user' || principal?.kind === 'apiKey' ? principal.id : undefined;

function refuse(cause: unknown): never {
  throw authorizationStale(cause);
}
