import { Injectable } from '@nestjs/common';
import { actionsOf } from '../../../kernel/actions.js';
import type { DomainEvent } from '../../../kernel/aggregate.js';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { AggregateRepository } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { authzError } from '../domain/authz-errors.js';
import { breaksGlass, hasExpired } from '../domain/grant-expiry.js';
import { isTopRole, holdsTopRole } from '../domain/lockout.js';
import { topRole } from '../domain/predefined-roles.js';
import type { Rule } from '../domain/rule.js';
import { Authorizer } from './authorizer.js';
import type { Subject } from './subject.js';
import { RightsCatalog, RuleStore, type PrincipalName } from './ports.js';
import { rightsChange, type Rights, type RightsChange } from './rights-change.js';
import { NO_RULES, rulesFor } from './rules-for.js';

/** Who makes a change, and what they hold before it, as the transaction of the change sees it. */
interface Giver {
  readonly principal: Principal;
  readonly tenantId: string;
  /** In the tenant; for a change in the system, also in every tenant that has other rules about them. */
  readonly subjects: readonly Subject[];
}

/**
 * Callers give only what they hold, and take from others only what they could give. One check for every change of permissions: it compares the
 * rules before and after the change, and requires that the caller holds each one that was added or removed without condition, as the
 * credential of the request holds it. All of it is read in the transaction that makes the change, which holds the head of the log of
 * permissions: no other change comes between.
 */
@Injectable()
export class Escalation {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly rules: RuleStore,
    private readonly catalog: RightsCatalog,
    private readonly clock: Clock,
  ) {}

  /**
   * The same repository, whose changes throw `exceeds-own-permissions` where they give or take too much. `about`: the only principal affected.
   */
  limiting<S, E extends DomainEvent, R, F>(
    repository: AggregateRepository<S, E, R, F>,
    tenantId: string,
    giver: Principal,
    about?: PrincipalName,
  ): AggregateRepository<S, E, R, F> {
    const { check, ...aggregate } = repository.aggregate;
    return {
      aggregate,
      ask: (sql, ref, changed) => repository.ask(sql, ref, changed),
      project: async (sql, ref, changed, facts) => {
        const holding = await this.giver(sql, tenantId, giver);
        const before = await this.rights(sql, tenantId, about);
        await repository.project(sql, ref, changed, facts);
        this.requireHeld(holding, rightsChange(tenantId, before, await this.rights(sql, tenantId, about)));
        // Afterwards, so that callers that may not make the change do not learn what else prevents it. The append has checked that the state
        // was the last.
        check?.(facts, changed, ref);
      },
    };
  }

  /** Whether the caller may give these roles in the whole tenant as it is now: for work that begins before the checked change. */
  async requireGivable(tenantId: string, giver: Principal, roleIds: readonly string[]): Promise<void> {
    const tenant = await this.rules.tenantRules(tenantId);
    const roles = roleIds.map((roleId) => ({ roleId, scope: '' }));
    const subjects = [await this.authorizer.subject(tenantId, giver)];
    const added = rulesFor(tenantId, tenant, { ...NO_RULES, roles });
    this.requireHeld({ principal: giver, tenantId, subjects }, { added, removed: [] });
  }

  private async giver(sql: Sql, tenantId: string, principal: Principal): Promise<Giver> {
    const places = tenantId === SYSTEM_TENANT ? await this.catalog.tenantsWithRulesFor(sql, principal.userId) : [];
    const subjects: Subject[] = [];
    for (const place of new Set([tenantId, ...places]))
      subjects.push(await this.authorizer.subjectWithin(sql, place, principal));
    return { principal, tenantId, subjects };
  }

  private async rights(sql: Sql, tenantId: string, about: PrincipalName | undefined): Promise<Rights> {
    const store = this.rules.within(sql);
    const tenant = await store.tenantRules(tenantId);
    if (!about) return { tenant, own: NO_RULES };
    const own = await store.principalRules(tenantId, about);
    if (about.kind === 'apiKey') return { tenant, own };
    return {
      tenant,
      own: { ...own, grants: [...own.grants, ...(await this.catalog.grantsToKeysOf(sql, tenantId, about.id))] },
    };
  }

  private requireHeld(giver: Giver, { added, removed }: RightsChange): void {
    for (const rule of added) this.require(giver, rule, false);
    for (const rule of removed) this.require(giver, rule, rule.effect === 'deny');
  }

  /** `lifts`: a denial is removed. An owner may lift every denial in their tenant, an administrator of the system all of them. */
  private require({ principal, tenantId, subjects }: Giver, rule: Rule, lifts: boolean): void {
    const now = this.clock.now();
    if (hasExpired(rule, now)) return;
    const [{ policy }] = subjects as [Subject];
    const administers = holdsTopRole(SYSTEM_TENANT, policy.rules);
    const missing = new Set<string>();
    for (const subject of subjects) {
      if (!lifts || !(administers || holdsTopRole(tenantId, policy.rules)))
        for (const action of subject.policy.missing(rule.actions, rule.resource)) missing.add(action);
      for (const action of subject.beyondKey(actionsOf(rule.actions), rule.resource)) missing.add(action);
    }
    if (administers && principal.kind === 'user' && breaksGlass(rule, now)) {
      const denied = new Set(subjects.flatMap((subject) => subject.policy.denied(rule.actions, rule.resource)));
      for (const action of missing)
        if (action.startsWith('event:') && !denied.has(action as never)) missing.delete(action);
    }
    refuseMissing(missing, rule);
    if (isTopRole(tenantId, rule) && !holdsTopRole(tenantId, policy.rules))
      throw exceeds(`You do not hold the role "${topRole(tenantId)}".`);
  }
}

function refuseMissing(missing: ReadonlySet<string>, { resource }: Rule): void {
  if (missing.size === 0) return;
  const names = [...missing].slice(0, 10).join(', ');
  throw exceeds(`You do not hold ${names} on ${resource.text} without condition.`);
}

const exceeds = (detail: string): Error => authzError('exceeds-own-permissions', detail);
