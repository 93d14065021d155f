import type { Sql } from '../../../platform/postgres/database.js';
import { AggregateRepository } from '../../../platform/event-log/index.js';
import {
  grantNotFound,
  type GrantEvent,
  type GrantFacts,
  type GrantRef,
  type GrantSettings,
  type GrantState,
  type PrincipalKind,
} from '../domain/grant.js';
import {
  groupNotFound,
  type GroupEvent,
  type GroupFacts,
  type GroupPart,
  type GroupRef,
  type GroupState,
} from '../domain/group.js';
import {
  memberNotFound,
  type MemberEvent,
  type MemberFacts,
  type MemberRef,
  type MemberState,
  type RoleAssignment,
} from '../domain/member.js';
import {
  roleNotFound,
  type RoleEvent,
  type RoleFacts,
  type RoleRef,
  type RoleSettings,
  type RoleState,
} from '../domain/role.js';

/** As queries name it: only the current life of a tenant can be seen. */
export type Named<R> = Omit<R, 'tenantUid'>;

interface Versions {
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface MemberView extends Named<MemberRef>, Versions {
  readonly roles: readonly RoleAssignment[];
}

export interface RoleView extends Named<RoleRef>, RoleSettings, Versions {}

export interface GroupView extends Named<GroupRef>, Versions {
  readonly name: string;
}

export interface GrantView extends Named<GrantRef>, GrantSettings {
  readonly version: number;
  readonly createdAt: number;
}

export interface HeldTopRole {
  readonly tenantId: string;
  /** Whether another holder is active. */
  readonly othersActive: boolean;
}

/** Lists are in order of ids and begin after `afterId`. */
export abstract class MemberCatalog extends AggregateRepository<MemberState, MemberEvent, MemberRef, MemberFacts> {
  abstract find(ref: Named<MemberRef>): Promise<MemberView | undefined>;

  /** Throws where there is none. */
  async get(ref: Named<MemberRef>): Promise<MemberView> {
    const found = await this.find(ref);
    if (!found) throw memberNotFound(ref.userId);
    return found;
  }

  abstract list(tenantId: string, afterId: string, limit: number): Promise<MemberView[]>;
  abstract anyHolder(tenantId: string, roleId: string): Promise<boolean>;
  /** In the transaction that deletes the tenant: members, roles, groups and grants, including those of the system that name it. */
  abstract removeTenant(sql: Sql, tenantId: string): Promise<void>;
  /**
   * In the transaction that deletes something in a tenant: grants that allow something on it or below it, and roles that are held there, so
   * that they do not hold for what gets its name later. Denials stay. `path` is that of the resource.
   */
  abstract removeResource(sql: Sql, tenantId: string, path: string): Promise<void>;
  /** In the transaction that suspends or deletes the user: where they hold the role that must stay. Its holders are locked. */
  abstract topRolesHeldBy(sql: Sql, userId: string): Promise<HeldTopRole[]>;
  /** In the transaction that deletes the user: memberships, and what was granted to them or their keys. */
  abstract removeUser(sql: Sql, userId: string): Promise<void>;
  /** Memberships of a user, `$system` included, in order of tenants; all of them, or the first. */
  abstract ofUser(userId: string, limit?: number): Promise<MemberView[]>;
}

export abstract class RoleCatalog extends AggregateRepository<RoleState, RoleEvent, RoleRef, RoleFacts> {
  /** Throws `role-not-found` where one is neither predefined there nor made. `sql`: as a transaction sees it. */
  abstract requireAll(tenantId: string, roleIds: readonly string[], sql?: Sql): Promise<void>;
  abstract find(ref: Named<RoleRef>): Promise<RoleView | undefined>;

  /** Throws where there is none. */
  async get(ref: Named<RoleRef>): Promise<RoleView> {
    const found = await this.find(ref);
    if (!found) throw roleNotFound(ref.roleId);
    return found;
  }

  abstract list(tenantId: string): Promise<RoleView[]>;
}

export abstract class GroupCatalog extends AggregateRepository<GroupState, GroupEvent, GroupRef, GroupFacts> {
  abstract find(ref: Named<GroupRef>): Promise<GroupView | undefined>;

  /** Throws where there is none. */
  async get(ref: Named<GroupRef>): Promise<GroupView> {
    const found = await this.find(ref);
    if (!found) throw groupNotFound(ref.groupId);
    return found;
  }

  abstract list(tenantId: string, afterId: string, limit: number): Promise<GroupView[]>;
  abstract parts(ref: Named<GroupRef>, part: GroupPart, afterId: string, limit: number): Promise<string[]>;
  abstract hasPart(ref: Named<GroupRef>, part: GroupPart, id: string): Promise<boolean>;
}

export abstract class GrantCatalog extends AggregateRepository<GrantState, GrantEvent, GrantRef, GrantFacts> {
  abstract find(ref: Named<GrantRef>): Promise<GrantView | undefined>;

  /** Throws where there is none. */
  async get(ref: Named<GrantRef>): Promise<GrantView> {
    const found = await this.find(ref);
    if (!found) throw grantNotFound(ref.grantId);
    return found;
  }

  abstract list(tenantId: string, afterId: string, limit: number): Promise<GrantView[]>;
}

/** What holds for all in a tenant: loaded once, kept until a change. */
export interface TenantRules {
  readonly roles: readonly Pick<RoleView, 'roleId' | 'actions'>[];
  /** Roles of groups. */
  readonly groupRoles: readonly { readonly groupId: string; readonly roleId: string }[];
  /** Which groups contain which. */
  readonly nesting: readonly { readonly groupId: string; readonly childId: string }[];
  /** Grants to roles and groups. */
  readonly grants: readonly GrantView[];
}

/** What holds for one user in a tenant, or for one API key. */
export interface PrincipalRules {
  readonly roles: readonly RoleAssignment[];
  readonly groups: readonly string[];
  readonly grants: readonly GrantView[];
}

export interface PrincipalName {
  readonly kind: Extract<PrincipalKind, 'user' | 'apiKey'>;
  readonly id: string;
}

/** What decisions are compiled from. Read as one snapshot each. */
export abstract class RuleStore {
  abstract tenantRules(tenantId: string): Promise<TenantRules>;
  abstract principalRules(tenantId: string, principal: PrincipalName): Promise<PrincipalRules>;
  /** The same, as a transaction sees it. */
  abstract within(sql: Sql): RuleStore;
}

/** What must be known of users and their keys before a change of permissions, as its transaction sees it. */
export abstract class RightsCatalog {
  /** The tenants, `$system` included, that have rules about the user: as a member, in a group, or by a grant to them or to a key of theirs. */
  abstract tenantsWithRulesFor(sql: Sql, userId: string): Promise<string[]>;
  /** What is granted and denied to an API key in all tenants, `$system` among them. */
  abstract grantsToKey(sql: Sql, keyId: string): Promise<GrantView[]>;
  /** What is granted and denied in the tenant to the API keys of a user. */
  abstract grantsToKeysOf(sql: Sql, tenantId: string, userId: string): Promise<GrantView[]>;
}
