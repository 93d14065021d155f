import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { Invitations } from '../../identity/index.js';
import { addRoles } from '../domain/member.js';
import { Escalation } from './escalation.js';
import { MemberCatalog, RoleCatalog, type MemberView } from './ports.js';
import { TenantLifeOf } from './tenant-life.js';

export interface Invited {
  readonly member: MemberView;
  /** False: he was a member before. */
  readonly joined: boolean;
}

export class InviteMember extends Command<Invited> {
  constructor(
    readonly tenantId: string,
    readonly email: string,
    readonly roleIds: readonly string[],
    readonly by: Actor,
    readonly giver: Principal,
  ) {
    super();
  }
}

/**
 * Whoever has the e-mail is a member from now on, with these roles besides those that he has: an invitation takes nothing away. Nothing is
 * done before it is known that the giver may give them.
 */
@CommandHandler(InviteMember)
export class InviteMemberHandler implements ICommandHandler<InviteMember> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly members: MemberCatalog,
    private readonly roles: RoleCatalog,
    private readonly invitations: Invitations,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ tenantId, email, roleIds, by, giver }: InviteMember): Promise<Invited> {
    const tenantUid = await this.lives.uidOf(tenantId);
    const roles = roleIds.map((roleId) => ({ roleId, scope: '' }));
    await this.roles.requireAll(tenantId, roleIds);
    await this.escalation.requireGivable(tenantId, giver, roleIds);
    this.invitations.admit(tenantId, email, by);
    const account = await this.invitations.accountFor(email, by);
    const ref = { tenantId, tenantUid, userId: account.userId };
    const before = await this.members.find(ref);
    const about = { kind: 'user', id: account.userId } as const;
    const repository = this.escalation.bounding(this.members, tenantId, giver, about);
    await this.aggregates.change(repository, ref, by, (state) => addRoles(state, ref, roles, before?.roles));
    this.invitations.tell(account, tenantId);
    return { member: (await this.members.find(ref))!, joined: !before };
  }
}
