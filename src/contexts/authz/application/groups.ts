import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import { newId } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../platform/http/request.js';
import {
  addPart,
  createGroup,
  deleteGroup,
  groupNotFound,
  removePart,
  renameGroup,
  type GroupPart,
  type GroupRef,
  type GroupState,
} from '../domain/group.js';
import { memberNotFound, type RoleAssignment } from '../domain/member.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { Escalation } from './escalation.js';
import { GroupCatalog, MemberCatalog, RuleStore, type GroupView } from './ports.js';
import { TenantLifeOf } from './tenant-life.js';

export type GroupChange =
  | { readonly kind: 'create' | 'rename'; readonly name: string }
  | { readonly kind: 'delete' }
  | { readonly kind: 'add' | 'remove'; readonly part: GroupPart; readonly id: string };

export class ChangeGroup extends Command<GroupView | undefined> {
  constructor(
    readonly group: { readonly tenantId: string; readonly groupId?: string },
    readonly change: GroupChange,
    readonly by: Actor,
    readonly giver: Principal,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

@CommandHandler(ChangeGroup)
export class ChangeGroupHandler implements ICommandHandler<ChangeGroup> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly groups: GroupCatalog,
    private readonly members: MemberCatalog,
    private readonly rules: RuleStore,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ group, change, by, giver, expectedVersion }: ChangeGroup): Promise<GroupView | undefined> {
    const { tenantId, groupId = newId('grp') } = group;
    const ref: GroupRef = { tenantId, groupId, tenantUid: await this.lives.uidOf(tenantId) };
    if (change.kind === 'add' || change.kind === 'remove' || change.kind === 'delete')
      await this.requireWhatItGives(ref, change.kind === 'delete' ? undefined : change, giver);
    await this.aggregates.change(this.groups, ref, by, (state) => decide(state, ref, change), { expectedVersion });
    return this.groups.find(ref);
  }

  /** Whoever changes a group gives or takes what it gives its members: its roles, its grants, and those of the groups that hold it. */
  private async requireWhatItGives(
    ref: GroupRef,
    change: { readonly kind: 'add' | 'remove'; readonly part: GroupPart; readonly id: string } | undefined,
    giver: Principal,
  ): Promise<void> {
    const { tenantId, groupId } = ref;
    if (!(await this.groups.find(ref))) throw groupNotFound(ref);
    if (change?.kind === 'add' && change.part === 'user' && !(await this.members.find({ tenantId, userId: change.id })))
      throw memberNotFound({ ...ref, userId: change.id });
    if (
      change?.kind === 'add' &&
      change.part === 'group' &&
      !(await this.groups.find({ tenantId, groupId: change.id }))
    )
      throw groupNotFound({ ...ref, groupId: change.id });
    const { groupRoles, nesting, grants } = await this.rules.tenantRules(tenantId);
    const given = new Set([groupId]);
    for (const id of given) for (const { groupId: holder, childId } of nesting) if (childId === id) given.add(holder);
    const roles: RoleAssignment[] = groupRoles
      .filter((one) => given.has(one.groupId))
      .map(({ roleId }) => ({ roleId, scope: '' }));
    if (change?.part === 'role') roles.push({ roleId: change.id, scope: '' });
    await this.escalation.requireRoles(tenantId, giver, roles);
    for (const { principal, effect, actions, resource } of grants)
      if (principal.kind === 'group' && given.has(principal.id) && effect === 'allow')
        await this.escalation.requireActions(tenantId, giver, actions, parsePattern(resource));
  }
}

function decide(state: GroupState, ref: GroupRef, change: GroupChange): ReturnType<typeof deleteGroup> {
  switch (change.kind) {
    case 'create':
      return createGroup(state, ref, change.name);
    case 'rename':
      return renameGroup(state, ref, change.name);
    case 'delete':
      return deleteGroup(state, ref);
    default:
      return (change.kind === 'add' ? addPart : removePart)(state, ref, change.part, change.id);
  }
}
