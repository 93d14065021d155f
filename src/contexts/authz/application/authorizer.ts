import { Injectable } from '@nestjs/common';
import type { Action } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { whenBothReady, whenReady } from '../../../kernel/when-ready.js';
import type { LimitLeft } from '../../../kernel/limit-left.js';
import type { Ceiling, Principal } from '../../../kernel/access.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { CredentialValidity, unauthenticated } from '../../identity/index.js';
import { TenantCatalog, tenantDeleting, TenantGates, tenantSuspended, type TenantGate } from '../../tenancy/index.js';
import { CompiledCeiling } from '../domain/ceiling.js';
import { closureReason, type ClosureReason } from '../domain/tenant-closure.js';
import type { Decision } from '../domain/decision.js';
import type { Policy } from '../domain/policy.js';
import { ResourceVisibility } from './resource-visibility.js';
import { MemberCatalog } from './ports.js';
import { PermissionRates } from './permission-rates.js';
import { Policies } from './policies.js';
import { Subject } from './subject.js';

/** Loads what decisions about a caller depend on, and decides whether a tenant is closed to them. */
@Injectable()
export class Authorizer {
  private readonly ceilings = new WeakMap<Ceiling, CompiledCeiling>();

  constructor(
    private readonly policies: Policies,
    private readonly gates: TenantGates,
    private readonly rates: PermissionRates,
    private readonly hidden: ResourceVisibility,
    private readonly members: MemberCatalog,
    private readonly credentials: CredentialValidity,
    private readonly tenants: TenantCatalog,
  ) {}

  /** Synchronous where all of it is cached. */
  subject(tenantId: string, principal: Principal): Subject | Promise<Subject> {
    return whenReady(this.gates.of(tenantId), (gate) => this.subjectBehind(gate, tenantId, principal));
  }

  private subjectBehind(gate: TenantGate | null, tenantId: string, principal: Principal): Subject | Promise<Subject> {
    // Nothing is granted in a tenant that does not exist: rules of made-up ids are neither loaded nor cached.
    const where = gate === null ? SYSTEM_TENANT : tenantId;
    const policy = this.policies.of(where, { kind: 'user', id: principal.userId });
    const keyPolicy =
      principal.kind === 'api-key' ? this.policies.of(where, { kind: 'apiKey', id: principal.id }) : undefined;
    return whenBothReady(policy, keyPolicy, (own, ofKey) => this.assemble(tenantId, principal, gate, own, ofKey));
  }

  /** As a transaction sees it. Whether the tenant is open is checked by the code that changes something in it. */
  async subjectWithin(sql: Sql, tenantId: string, principal: Principal): Promise<Subject> {
    const policy = await this.policies.within(sql, tenantId, { kind: 'user', id: principal.userId });
    const keyPolicy =
      principal.kind === 'api-key'
        ? await this.policies.within(sql, tenantId, { kind: 'apiKey', id: principal.id })
        : undefined;
    return this.assemble(tenantId, principal, null, policy, keyPolicy);
  }

  async requireCredential(sql: Sql, principal: Principal, now: number): Promise<void> {
    if (!(await this.credentials.isValid(sql, principal, now))) throw unauthenticated();
  }

  closureReason({ gate, tenantId, policy }: Subject, action: Action): ClosureReason | undefined {
    if (gate === null || gate.state === 'active' || tenantId === SYSTEM_TENANT) return undefined;
    return closureReason(action, gate.state, () => policy.check('tenant:suspend', '', { now: 0 }).allowed);
  }

  async requireOpenWithin(sql: Sql, { tenantId, policy }: Subject, action: Action): Promise<void> {
    if (tenantId === SYSTEM_TENANT) return;
    const state = await this.tenants.stateWithin(sql, tenantId);
    const closed = closureReason(action, state, () => policy.check('tenant:suspend', '', { now: 0 }).allowed);
    if (closed) throw CLOSED[closed](tenantId);
  }

  /** Callers that may see every tenant also learn where there is none. */
  requireOpen(subject: Subject, action: Action): void {
    const { gate, tenantId } = subject;
    const missing = gate === null && tenantId !== SYSTEM_TENANT ? this.notFound('tenants', tenantId) : undefined;
    if (missing) throw missing;
    const closed = this.closureReason(subject, action);
    if (closed) throw CLOSED[closed](subject.tenantId);
  }

  spend({ principal }: Subject, rates: NonNullable<Decision['rates']>): LimitLeft | undefined {
    return this.rates.spend(principal.userId, rates);
  }

  /** Where the principal is a member. They may see other tenants without belonging to them. */
  async tenantsOf({ userId }: Principal): Promise<string[]> {
    const memberships = await this.members.ofUser(userId);
    return memberships.map(({ tenantId }) => tenantId).filter((id) => id !== SYSTEM_TENANT);
  }

  notFound(type: string, id: string): Error | undefined {
    return this.hidden.notFound(type, id);
  }

  private assemble(
    tenantId: string,
    principal: Principal,
    gate: TenantGate | null,
    policy: Policy,
    keyPolicy: Policy | undefined,
  ): Subject {
    const key = keyPolicy && { ceiling: this.ceilingOf(principal), policy: keyPolicy };
    return new Subject(tenantId, principal, gate, policy, key);
  }

  ceilingOf({ ceiling }: Principal): CompiledCeiling {
    if (!ceiling) return NO_CEILING;
    let compiled = this.ceilings.get(ceiling);
    if (!compiled) {
      compiled = new CompiledCeiling(ceiling);
      this.ceilings.set(ceiling, compiled);
    }
    return compiled;
  }
}

const CLOSED: Readonly<Record<ClosureReason, (tenantId: string) => Error>> = {
  'tenant-suspended': tenantSuspended,
  'tenant-deleting': tenantDeleting,
};
const NO_CEILING = new CompiledCeiling({ scopes: null, actions: null });
