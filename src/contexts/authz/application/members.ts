import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { UserAccounts } from '../../identity/index.js';
import {
  addRoles,
  hasRole,
  isIn,
  memberNotFound,
  noSuchUser,
  removeMember,
  removeRole,
  replaceRoles,
  setRoles,
  type MemberEvent,
  type MemberState,
  type RoleAssignment,
} from '../domain/member.js';
import { Escalation } from './escalation.js';
import { MemberCatalog, RoleCatalog, type MemberView } from './ports.js';
import { TenantLifeOf } from './tenant-life.js';

/** What is to become of a member's roles: all of them, those in the whole tenant, or one. */
export type MemberChange =
  | { readonly kind: 'set'; readonly roles: readonly RoleAssignment[] }
  | { readonly kind: 'replace'; readonly roles: readonly RoleAssignment[] }
  | { readonly kind: 'assign'; readonly role: RoleAssignment }
  | { readonly kind: 'unassign'; readonly role: RoleAssignment }
  | { readonly kind: 'remove' };

export class ChangeMember extends Command<MemberView | undefined> {
  constructor(
    readonly member: { readonly tenantId: string; readonly userId: string },
    readonly change: MemberChange,
    readonly by: Actor,
    readonly giver: Principal,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(ChangeMember)
export class ChangeMemberHandler implements ICommandHandler<ChangeMember> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly members: MemberCatalog,
    private readonly roles: RoleCatalog,
    private readonly users: UserAccounts,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ member, change, by, giver, expectedVersion }: ChangeMember): Promise<MemberView | undefined> {
    const ref = { ...member, tenantUid: await this.lives.uidOf(member.tenantId) };
    const current = await this.members.find(ref);
    const adds = change.kind === 'assign' || change.kind === 'set';
    if (!current && !adds) throw memberNotFound(ref);
    if (!current && !(await this.users.find(ref.userId))) throw noSuchUser(ref.userId);
    if (change.kind === 'unassign') await this.roles.requireAll(ref.tenantId, [change.role.roleId]);
    const live = current?.roles ?? [];
    const decide = (state: MemberState): MemberEvent[] => {
      switch (change.kind) {
        case 'set':
          return setRoles(state, ref, change.roles, live);
        case 'replace':
          return replaceRoles(state, ref, change.roles, live);
        case 'assign':
          return addRoles(state, ref, [change.role], live);
        case 'unassign':
          return removeRole(state, ref, change.role);
        case 'remove':
          return removeMember(state, ref, 'requested');
      }
    };
    const exists = (state: MemberState): boolean =>
      change.kind === 'assign' ? hasRole(state, change.role) && isIn(live, change.role) : state.status === 'active';
    const about = { kind: 'user', id: ref.userId } as const;
    const repository = this.escalation.bounding(this.members, ref.tenantId, giver, about);
    await this.aggregates.change(repository, ref, by, decide, { expectedVersion, exists });
    return this.members.find(ref);
  }
}
