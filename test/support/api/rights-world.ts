import { maskOf, type Action } from '../../../src/kernel/actions.js';
import { SYSTEM_TENANT } from '../../../src/kernel/ids.js';
import type { GrantView, PrincipalRules, TenantRules } from '../../../src/contexts/authz/application/ports.js';
import { rulesFor } from '../../../src/contexts/authz/application/rules-for.js';
import { withoutLockout } from '../../../src/contexts/authz/domain/lockout.js';
import { Policy } from '../../../src/contexts/authz/domain/policy.js';
import { parsePattern } from '../../../src/contexts/authz/domain/resource-pattern.js';

export interface WrittenEvent {
  readonly type: string;
  readonly tenantId: string;
  readonly data: object;
}

type Part = 'user' | 'role' | 'group';

export type RightsChange =
  | { kind: 'assign' | 'unassign'; tenantId: string; userId: string; roleId: string }
  | { kind: 'remove'; tenantId: string; userId: string }
  | { kind: 'put' | 'take'; tenantId: string; groupId: string; part: Part; id: string }
  | { kind: 'disband'; tenantId: string; groupId: string }
  | { kind: 'redefine'; tenantId: string; roleId: string; actions: Action[] }
  | {
      kind: 'grant';
      tenantId: string;
      principal: { kind: Part; id: string };
      effect: 'allow' | 'deny';
      resource: string;
      constraints: object | null;
    }
  | { kind: 'revoke'; tenantId: string; nth: number };

class Place {
  readonly roles = new Map<string, Set<string>>();
  readonly groups = new Map<string, Record<Part, Set<string>>>();
  readonly defined = new Map<string, Action[]>();
  grants: GrantView[] = [];

  partsOf(groupId: string): Record<Part, Set<string>> {
    let parts = this.groups.get(groupId);
    if (!parts) this.groups.set(groupId, (parts = { user: new Set(), role: new Set(), group: new Set() }));
    return parts;
  }

  get rules(): TenantRules {
    const pairs = (part: Part) =>
      [...this.groups].flatMap(([groupId, parts]) => [...parts[part]].map((id) => ({ groupId, id })));
    return {
      roles: [...this.defined].map(([roleId, actions]) => ({ roleId, actions })),
      groupRoles: pairs('role').map(({ groupId, id }) => ({ groupId, roleId: id })),
      nesting: pairs('group').map(({ groupId, id }) => ({ groupId, childId: id })),
      grants: this.grants.filter(({ principal }) => principal.kind !== 'user'),
    };
  }

  of(userId: string): PrincipalRules {
    return {
      roles: [...(this.roles.get(userId) ?? [])].map((roleId) => ({ roleId, scope: '' })),
      groups: [...this.groups].filter(([, parts]) => parts.user.has(userId)).map(([groupId]) => groupId),
      grants: this.grants.filter(({ principal }) => principal.kind === 'user' && principal.id === userId),
    };
  }
}

/** Who may do what in a tenant and the system, in memory; each change returns the event that the product would write. */
export class RightsWorld {
  private readonly places = new Map<string, Place>();
  private granted = 0;

  policyOf(tenantId: string, userId: string): Policy {
    const [own, system] = [this.at(tenantId), this.at(SYSTEM_TENANT)];
    const inTenant = rulesFor(tenantId, own.rules, own.of(userId));
    const inSystem = rulesFor(SYSTEM_TENANT, system.rules, system.of(userId));
    return new Policy(withoutLockout(tenantId, inTenant, inSystem));
  }

  holds(tenantId: string, userId: string, action: Action, resource: string): boolean {
    return this.policyOf(tenantId, userId).missing(maskOf([action]), parsePattern(resource)).length === 0;
  }

  /** Undefined: there is nothing to change. */
  change(change: RightsChange): WrittenEvent | undefined {
    const { tenantId } = change;
    const place = this.at(tenantId);
    switch (change.kind) {
      case 'assign':
      case 'unassign':
        return assign(place, change);
      case 'remove':
        for (const parts of place.groups.values()) parts.user.delete(change.userId);
        place.roles.delete(change.userId);
        return { type: 'member.removed', tenantId, data: { userId: change.userId } };
      case 'put':
      case 'take':
        return move(place, change);
      case 'disband':
        place.groups.delete(change.groupId);
        for (const parts of place.groups.values()) parts.group.delete(change.groupId);
        place.grants = place.grants.filter(
          ({ principal }) => principal.kind !== 'group' || principal.id !== change.groupId,
        );
        return { type: 'group.deleted', tenantId, data: { groupId: change.groupId } };
      case 'redefine':
        place.defined.set(change.roleId, change.actions);
        return { type: 'role.changed', tenantId, data: { roleId: change.roleId, actions: change.actions } };
      case 'grant':
        return this.grant(place, change);
      case 'revoke': {
        const grant = place.grants[change.nth % Math.max(1, place.grants.length)];
        if (!grant) return undefined;
        place.grants = place.grants.filter((other) => other !== grant);
        return { type: 'grant.revoked', tenantId, data: { grantId: grant.grantId, principal: grant.principal } };
      }
    }
  }

  private grant(place: Place, { kind: _, tenantId, ...settings }: RightsChange & { kind: 'grant' }): WrittenEvent {
    const grant = { ...settings, actions: ['event:read'], tenantId, grantId: `grt_${++this.granted}` };
    place.grants = [...place.grants, { ...grant, version: 1, createdAt: 0 }];
    return { type: 'grant.created', tenantId, data: grant };
  }

  private at(tenantId: string): Place {
    let place = this.places.get(tenantId);
    if (!place) this.places.set(tenantId, (place = new Place()));
    return place;
  }
}

function assign(place: Place, change: RightsChange & { kind: 'assign' | 'unassign' }): WrittenEvent {
  const { kind, tenantId, userId, roleId } = change;
  const roles = place.roles.get(userId) ?? new Set();
  place.roles.set(userId, roles);
  if (kind === 'assign') roles.add(roleId);
  else roles.delete(roleId);
  const type = kind === 'assign' ? 'member.role-assigned' : 'member.role-removed';
  return { type, tenantId, data: { userId, roleId, scope: '' } };
}

function move(place: Place, change: RightsChange & { kind: 'put' | 'take' }): WrittenEvent {
  const { kind, tenantId, groupId, part, id } = change;
  if (kind === 'put') place.partsOf(groupId)[part].add(id);
  else place.partsOf(groupId)[part].delete(id);
  return {
    type: kind === 'put' ? 'group.part-added' : 'group.part-removed',
    tenantId,
    data: { groupId, part, id },
  };
}
