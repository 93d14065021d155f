import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../platform/http/request.js';
import { UserAccounts } from '../../identity/index.js';
import {
  assignRole,
  memberNotFound,
  noSuchUser,
  removeMember,
  removeRole,
  sameAssignment,
  setRoles,
  type MemberEvent,
  type MemberState,
  type RoleAssignment,
} from '../domain/member.js';
import { Escalation } from './escalation.js';
import { MemberCatalog, type MemberView } from './ports.js';
import { TenantLifeOf } from './tenant-life.js';

/** What is to become of a member's roles. */
export type MemberChange =
  | { readonly kind: 'set'; readonly roles: readonly RoleAssignment[]; readonly create: boolean }
  | { readonly kind: 'assign' | 'unassign'; readonly role: RoleAssignment }
  | { readonly kind: 'remove' };

export class ChangeMember extends Command<MemberView | undefined> {
  constructor(
    readonly member: { readonly tenantId: string; readonly userId: string },
    readonly change: MemberChange,
    readonly by: Actor,
    readonly giver: Principal,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

@CommandHandler(ChangeMember)
export class ChangeMemberHandler implements ICommandHandler<ChangeMember> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly members: MemberCatalog,
    private readonly users: UserAccounts,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ member, change, by, giver, expectedVersion }: ChangeMember): Promise<MemberView | undefined> {
    const ref = { ...member, tenantUid: await this.lives.uidOf(member.tenantId) };
    const current = await this.members.find(ref);
    const adds = change.kind === 'assign' || (change.kind === 'set' && change.create);
    if (!current && !adds) throw memberNotFound(ref);
    if (!current && !(await this.users.find(ref.userId))) throw noSuchUser(ref.userId);
    await this.escalation.requireRoles(ref.tenantId, giver, touched(change, current?.roles ?? []));
    const decide = (state: MemberState): MemberEvent[] => {
      if (change.kind === 'remove') return removeMember(state, ref, 'requested');
      if (change.kind === 'set') return setRoles(state, ref, change.roles);
      return (change.kind === 'assign' ? assignRole : removeRole)(state, ref, change.role);
    };
    await this.aggregates.change(this.members, ref, by, decide, { expectedVersion });
    return this.members.find(ref);
  }
}

/** The roles that are given or taken. */
function touched(change: MemberChange, held: readonly RoleAssignment[]): readonly RoleAssignment[] {
  if (change.kind === 'remove') return held;
  if (change.kind !== 'set') return [change.role];
  const { roles } = change;
  const only = (some: readonly RoleAssignment[], others: readonly RoleAssignment[]): RoleAssignment[] =>
    some.filter((role) => !others.some((other) => sameAssignment(role, other)));
  return [...only(roles, held), ...only(held, roles)];
}
