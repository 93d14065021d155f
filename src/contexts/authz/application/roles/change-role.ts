import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Versioned } from '../../../../kernel/aggregate.js';
import { newId } from '../../../../kernel/ids.js';
import {
  changeRole,
  createRole,
  deleteRole,
  roleNotFound,
  type RoleRef,
  type RoleSettings,
  type RoleState,
} from '../../domain/role.js';
import { expandAll } from '../expand-actions.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { RoleCatalog, type Named, type RoleView } from '../ports.js';

export class CreateRole extends Command<RoleView> {
  constructor(
    readonly tenantId: string,
    readonly id: string | undefined,
    readonly settings: RoleSettings,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(CreateRole)
export class CreateRoleHandler implements ICommandHandler<CreateRole> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly roles: RoleCatalog,
  ) {}

  async execute({ tenantId, id: roleId = newId('rol'), settings, caller }: CreateRole): Promise<RoleView> {
    const role = { tenantId, roleId };
    const written = { ...settings, actions: expandAll(settings.actions) };
    const changed = await this.changes.change(this.roles, role, caller, (state, ref) =>
      createRole(state, ref, written),
    );
    return viewOf(role, changed);
  }
}

export class ChangeRole extends Command<RoleView> {
  constructor(
    readonly role: Named<RoleRef>,
    readonly settings: Partial<RoleSettings>,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(ChangeRole)
export class ChangeRoleHandler implements ICommandHandler<ChangeRole> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly roles: RoleCatalog,
  ) {}

  async execute({ role, settings, caller }: ChangeRole): Promise<RoleView> {
    const written = settings.actions ? { ...settings, actions: expandAll(settings.actions) } : settings;
    const changed = await this.changes.change(this.roles, role, caller, (state, ref) =>
      changeRole(state, ref, written),
    );
    return viewOf(role, changed);
  }
}

export class DeleteRole extends Command<void> {
  constructor(
    readonly role: Named<RoleRef>,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(DeleteRole)
export class DeleteRoleHandler implements ICommandHandler<DeleteRole> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly roles: RoleCatalog,
  ) {}

  async execute({ role, caller }: DeleteRole): Promise<void> {
    await this.changes.change(this.roles, role, caller, (state, ref) => deleteRole(state, ref));
  }
}

function viewOf({ tenantId, roleId }: Named<RoleRef>, { state, version, recordedAt }: Versioned<RoleState>): RoleView {
  if (state.status === 'none') throw roleNotFound(roleId);
  const { name, description, actions, createdAt } = state;
  return { tenantId, roleId, name, description, actions, version, createdAt, updatedAt: recordedAt };
}
