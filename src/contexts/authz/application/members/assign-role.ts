import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UserAccounts } from '../../../identity/index.js';
import {
  addRoles,
  hasRole,
  isIn,
  noSuchUser,
  removeRole,
  type MemberRef,
  type RoleAssignment,
} from '../../domain/member.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { MemberCatalog, RoleCatalog, type MemberView, type Named } from '../ports.js';

/** A user who gets a role becomes a member. */
export class AssignRole extends Command<MemberView> {
  constructor(
    readonly member: Named<MemberRef>,
    readonly role: RoleAssignment,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(AssignRole)
export class AssignRoleHandler implements ICommandHandler<AssignRole> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly members: MemberCatalog,
    private readonly users: UserAccounts,
  ) {}

  async execute({ member, role, caller }: AssignRole): Promise<MemberView> {
    const current = await this.members.find(member);
    if (!current && !(await this.users.find(member.userId))) throw noSuchUser(member.userId);
    const live = current?.roles ?? [];
    await this.changes.change(this.members, member, caller, (state, ref) => addRoles(state, ref, [role], live), {
      about: { kind: 'user', id: member.userId },
      exists: (state) => hasRole(state, role) && isIn(live, role),
    });
    return this.members.get(member);
  }
}

export class UnassignRole extends Command<void> {
  constructor(
    readonly member: Named<MemberRef>,
    readonly role: RoleAssignment,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(UnassignRole)
export class UnassignRoleHandler implements ICommandHandler<UnassignRole> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly members: MemberCatalog,
    private readonly roles: RoleCatalog,
  ) {}

  async execute({ member, role, caller }: UnassignRole): Promise<void> {
    await this.members.get(member);
    await this.roles.requireAll(member.tenantId, [role.roleId]);
    await this.changes.change(this.members, member, caller, (state, ref) => removeRole(state, ref, role), {
      about: { kind: 'user', id: member.userId },
      exists: (state) => state.status === 'active',
    });
  }
}
