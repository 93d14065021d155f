import { Injectable } from '@nestjs/common';
import { expandActions, maskOf } from '../../../kernel/actions.js';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../platform/http/request.js';
import { authzError } from '../domain/authz-errors.js';
import type { Constraints } from '../domain/constraints.js';
import { holdsAll } from '../domain/lockout.js';
import type { RoleAssignment } from '../domain/member.js';
import { predefinedRole } from '../domain/predefined-roles.js';
import { parsePattern, type ResourcePattern } from '../domain/resource-pattern.js';
import { Authorizer } from './authorizer.js';
import { RoleCatalog } from './ports.js';
import { pathOf } from './rules-of.js';

/** How long an administrator of the system may open a tenant's events, to himself or others. */
const BREAK_GLASS_MS = 3_600_000;

/** Nobody can give what he does not hold, nor take from somebody what he could not give. */
@Injectable()
export class Escalation {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly roles: RoleCatalog,
    private readonly clock: Clock,
  ) {}

  /** The roles must exist, and the giver hold all that they hold, where they hold it. */
  async requireRoles(tenantId: string, by: Principal, assignments: readonly RoleAssignment[]): Promise<void> {
    for (const { roleId, scope } of assignments) {
      const actions = await this.actionsOf(tenantId, roleId);
      await this.requireActions(tenantId, by, actions, parsePattern(pathOf(tenantId, scope)));
    }
  }

  async requireActions(
    tenantId: string,
    by: Principal,
    actions: readonly string[],
    resource: ResourcePattern,
    constraints: Constraints | null = null,
  ): Promise<void> {
    const subject = await this.authorizer.subject(tenantId, by);
    const { policy } = subject;
    const missing = new Set<string>([
      ...policy.missing(maskOf(actions), resource),
      ...subject.beyondKey(actions, resource),
    ]);
    if (this.isBreakGlass(constraints) && policy.check('tenant:create', '', { now: 0 }).allowed)
      for (const action of expandActions('event:*')) missing.delete(action);
    refuseMissing(missing, resource);
  }

  /**
   * To lift a denial gives, and takes as much. But an owner lifts every denial in his tenant, and an administrator of the system every one,
   * those among them that keep him from something.
   */
  async requireLifting(
    tenantId: string,
    by: Principal,
    actions: readonly string[],
    resource: ResourcePattern,
  ): Promise<void> {
    const subject = await this.authorizer.subject(tenantId, by);
    const { policy } = subject;
    const liftsAll = holdsAll(tenantId, policy.rules) || holdsAll(SYSTEM_TENANT, policy.rules);
    const lacking = liftsAll ? [] : policy.missing(maskOf(actions), resource);
    refuseMissing(new Set([...lacking, ...subject.beyondKey(actions, resource)]), resource);
  }

  private isBreakGlass(constraints: Constraints | null): boolean {
    const until = constraints?.validUntil === undefined ? Infinity : Date.parse(constraints.validUntil);
    return until <= this.clock.now() + BREAK_GLASS_MS;
  }

  private async actionsOf(tenantId: string, roleId: string): Promise<readonly string[]> {
    const predefined = predefinedRole(roleId);
    const fits = predefined && (predefined.scope === 'system') === (tenantId === SYSTEM_TENANT);
    const actions = fits ? predefined.actions : (await this.roles.find({ tenantId, roleId }))?.actions;
    if (!actions) throw authzError('role-not-found', `There is no role "${roleId}".`);
    return actions;
  }
}

function refuseMissing(missing: ReadonlySet<string>, resource: ResourcePattern): void {
  if (missing.size === 0) return;
  const names = [...missing].slice(0, 10).join(', ');
  throw authzError('exceeds-own-permissions', `You do not hold ${names} on ${resource.text} without condition.`);
}
