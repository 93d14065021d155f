import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Versioned } from '../../../../kernel/aggregate.js';
import { newId } from '../../../../kernel/ids.js';
import {
  createGroup,
  deleteGroup,
  groupNotFound,
  renameGroup,
  type GroupRef,
  type GroupState,
} from '../../domain/group.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { GroupCatalog, type GroupView, type Named } from '../ports.js';

export class CreateGroup extends Command<GroupView> {
  constructor(
    readonly tenantId: string,
    readonly input: { readonly id?: string | undefined; readonly name: string },
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(CreateGroup)
export class CreateGroupHandler implements ICommandHandler<CreateGroup> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly groups: GroupCatalog,
  ) {}

  async execute({ tenantId, input, caller }: CreateGroup): Promise<GroupView> {
    const { id: groupId = newId('grp'), name } = input;
    const group = { tenantId, groupId };
    const changed = await this.changes.change(this.groups, group, caller, (state, ref) =>
      createGroup(state, ref, name),
    );
    return viewOf(group, changed);
  }
}

export class RenameGroup extends Command<GroupView> {
  constructor(
    readonly group: Named<GroupRef>,
    readonly name: string,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(RenameGroup)
export class RenameGroupHandler implements ICommandHandler<RenameGroup> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly groups: GroupCatalog,
  ) {}

  async execute({ group, name, caller }: RenameGroup): Promise<GroupView> {
    const changed = await this.changes.change(this.groups, group, caller, (state, ref) =>
      renameGroup(state, ref, name),
    );
    return viewOf(group, changed);
  }
}

export class DeleteGroup extends Command<void> {
  constructor(
    readonly group: Named<GroupRef>,
    readonly caller: Caller,
  ) {
    super();
  }
}

/** Also removes its place in other groups and what is granted to it. */
@CommandHandler(DeleteGroup)
export class DeleteGroupHandler implements ICommandHandler<DeleteGroup> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly groups: GroupCatalog,
  ) {}

  async execute({ group, caller }: DeleteGroup): Promise<void> {
    await this.changes.change(this.groups, group, caller, (state, ref) => deleteGroup(state, ref));
  }
}

function viewOf(
  { tenantId, groupId }: Named<GroupRef>,
  { state, version, recordedAt }: Versioned<GroupState>,
): GroupView {
  if (state.status === 'none') throw groupNotFound(groupId);
  const { name, createdAt } = state;
  return { tenantId, groupId, name, version, createdAt, updatedAt: recordedAt };
}
