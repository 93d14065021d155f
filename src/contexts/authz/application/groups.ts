import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { newId } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import {
  addPart,
  createGroup,
  deleteGroup,
  removePart,
  renameGroup,
  type GroupEvent,
  type GroupPart,
  type GroupRef,
  type GroupState,
} from '../domain/group.js';
import { Escalation } from './escalation.js';
import { GroupCatalog, RoleCatalog, type GroupView } from './ports.js';
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
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(ChangeGroup)
export class ChangeGroupHandler implements ICommandHandler<ChangeGroup> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly groups: GroupCatalog,
    private readonly roles: RoleCatalog,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ group, change, by, giver, expectedVersion }: ChangeGroup): Promise<GroupView | undefined> {
    const { tenantId, groupId = newId('grp') } = group;
    const ref: GroupRef = { tenantId, groupId, tenantUid: await this.lives.uidOf(tenantId) };
    if (change.kind === 'remove' && change.part === 'role') await this.roles.requireAll(tenantId, [change.id]);
    const live = change.kind === 'add' && (await this.groups.hasPart(ref, change.part, change.id));
    const about = 'part' in change && change.part === 'user' ? ({ kind: 'user', id: change.id } as const) : undefined;
    const repository = this.escalation.bounding(this.groups, tenantId, giver, about);
    // What a PUT is about: that the group holds the part.
    const holds = (state: GroupState): boolean =>
      change.kind !== 'add' || (live && state.status === 'active' && state.parts[change.part].includes(change.id));
    const options = { expectedVersion, exists: holds };
    await this.aggregates.change(repository, ref, by, (state) => decide(state, ref, change, live), options);
    return this.groups.find(ref);
  }
}

function decide(state: GroupState, ref: GroupRef, change: GroupChange, live: boolean): GroupEvent[] {
  switch (change.kind) {
    case 'create':
      return createGroup(state, ref, change.name);
    case 'rename':
      return renameGroup(state, ref, change.name);
    case 'delete':
      return deleteGroup(state, ref);
    case 'add':
      return addPart(state, ref, change.part, change.id, live);
    default:
      return removePart(state, ref, change.part, change.id);
  }
}
