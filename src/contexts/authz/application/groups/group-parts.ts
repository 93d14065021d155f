import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { addPart, removePart, type GroupPart, type GroupRef } from '../../domain/group.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { GroupCatalog, RoleCatalog, type Named, type PrincipalName } from '../ports.js';

interface Part {
  readonly kind: GroupPart;
  readonly id: string;
}

/** A member, a role that it gives to its members, or a group whose members are its members, too. */
export class AddToGroup extends Command<void> {
  constructor(
    readonly group: Named<GroupRef>,
    readonly part: Part,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(AddToGroup)
export class AddToGroupHandler implements ICommandHandler<AddToGroup> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly groups: GroupCatalog,
  ) {}

  async execute({ group, part, caller }: AddToGroup): Promise<void> {
    const { kind, id } = part;
    const live = await this.groups.hasPart(group, kind, id);
    await this.changes.change(this.groups, group, caller, (state, ref) => addPart(state, ref, kind, id, live), {
      about: aboutOne(part),
      // What a PUT is about: that the group holds the part.
      exists: (state) => live && state.status === 'active' && state.parts[kind].includes(id),
    });
  }
}

export class RemoveFromGroup extends Command<void> {
  constructor(
    readonly group: Named<GroupRef>,
    readonly part: Part,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(RemoveFromGroup)
export class RemoveFromGroupHandler implements ICommandHandler<RemoveFromGroup> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly groups: GroupCatalog,
    private readonly roles: RoleCatalog,
  ) {}

  async execute({ group, part, caller }: RemoveFromGroup): Promise<void> {
    const { kind, id } = part;
    if (kind === 'role') await this.roles.requireAll(group.tenantId, [id]);
    await this.changes.change(this.groups, group, caller, (state, ref) => removePart(state, ref, kind, id), {
      about: aboutOne(part),
    });
  }
}

/** Roles and groups affect all who are in the group. */
const aboutOne = ({ kind, id }: Part): PrincipalName | undefined => (kind === 'user' ? { kind, id } : undefined);
