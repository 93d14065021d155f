import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UserAccounts } from '../../../identity/index.js';
import { noSuchUser, replaceRoles, setRoles, type MemberRef, type RoleAssignment } from '../../domain/member.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { MemberCatalog, type MemberView, type Named } from '../ports.js';

/** Makes a user a member with exactly these roles. */
export class SetMember extends Command<MemberView> {
  constructor(
    readonly member: Named<MemberRef>,
    readonly roles: readonly RoleAssignment[],
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(SetMember)
export class SetMemberHandler implements ICommandHandler<SetMember> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly members: MemberCatalog,
    private readonly users: UserAccounts,
  ) {}

  async execute({ member, roles, caller }: SetMember): Promise<MemberView> {
    const current = await this.members.find(member);
    if (!current && !(await this.users.find(member.userId))) throw noSuchUser(member.userId);
    await this.changes.change(
      this.members,
      member,
      caller,
      (state, ref) => setRoles(state, ref, roles, current?.roles ?? []),
      {
        about: { kind: 'user', id: member.userId },
        exists: (state) => state.status === 'active',
      },
    );
    return this.members.get(member);
  }
}

/** The roles of a member in the whole tenant; those in parts of it stay. */
export class ReplaceRoles extends Command<MemberView> {
  constructor(
    readonly member: Named<MemberRef>,
    readonly roles: readonly RoleAssignment[],
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(ReplaceRoles)
export class ReplaceRolesHandler implements ICommandHandler<ReplaceRoles> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly members: MemberCatalog,
  ) {}

  async execute({ member, roles, caller }: ReplaceRoles): Promise<MemberView> {
    const { roles: live } = await this.members.get(member);
    await this.changes.change(this.members, member, caller, (state, ref) => replaceRoles(state, ref, roles, live), {
      about: { kind: 'user', id: member.userId },
      exists: (state) => state.status === 'active',
    });
    return this.members.get(member);
  }
}
