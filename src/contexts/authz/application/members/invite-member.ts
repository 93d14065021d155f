import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Invitations } from '../../../identity/index.js';
import { addRoles } from '../../domain/member.js';
import { Escalation } from '../escalation.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { MemberCatalog, RoleCatalog, type MemberView } from '../ports.js';
import { TenantUids } from '../tenant-uids.js';

export interface Invited {
  readonly member: MemberView;
  /** False: they were a member before. */
  readonly joined: boolean;
}

export class InviteMember extends Command<Invited> {
  constructor(
    readonly tenantId: string,
    readonly email: string,
    readonly roleIds: readonly string[],
    readonly caller: Caller,
  ) {
    super();
  }
}

/**
 * Makes the owner of the e-mail a member, with these roles besides those that they have: an invitation takes nothing away. Nothing is done
 * before it is known that the caller may give them.
 */
@CommandHandler(InviteMember)
export class InviteMemberHandler implements ICommandHandler<InviteMember> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly members: MemberCatalog,
    private readonly roles: RoleCatalog,
    private readonly invitations: Invitations,
    private readonly tenantUids: TenantUids,
    private readonly escalation: Escalation,
  ) {}

  async execute({ tenantId, email, roleIds, caller }: InviteMember): Promise<Invited> {
    const { by, giver } = caller;
    // Nothing is started for a tenant that no longer exists.
    await this.tenantUids.of(tenantId);
    const roles = roleIds.map((roleId) => ({ roleId, scope: '' }));
    await this.roles.requireAll(tenantId, roleIds);
    await this.escalation.requireGivable(tenantId, giver, roleIds);
    this.invitations.reserveMail(tenantId, email, by);
    const account = await this.invitations.accountFor(email, by);
    const member = { tenantId, userId: account.userId };
    const before = await this.members.find(member);
    await this.changes.change(
      this.members,
      member,
      caller,
      (state, ref) => addRoles(state, ref, roles, before?.roles),
      {
        about: { kind: 'user', id: account.userId },
      },
    );
    this.invitations.notify(account, tenantId);
    return { member: await this.members.get(member), joined: !before };
  }
}
