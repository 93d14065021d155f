import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { removeMember, type MemberRef } from '../../domain/member.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { MemberCatalog, type Named } from '../ports.js';

export class RemoveMember extends Command<void> {
  constructor(
    readonly member: Named<MemberRef>,
    readonly caller: Caller,
  ) {
    super();
  }
}

/** Also removes their roles in the tenant, their places in groups, and what is granted to them and their keys. */
@CommandHandler(RemoveMember)
export class RemoveMemberHandler implements ICommandHandler<RemoveMember> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly members: MemberCatalog,
  ) {}

  async execute({ member, caller }: RemoveMember): Promise<void> {
    await this.members.get(member);
    await this.changes.change(this.members, member, caller, (state, ref) => removeMember(state, ref, 'requested'), {
      about: { kind: 'user', id: member.userId },
      exists: (state) => state.status === 'active',
    });
  }
}
