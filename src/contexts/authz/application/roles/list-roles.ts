import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SYSTEM_TENANT } from '../../../../kernel/ids.js';
import { PREDEFINED_ROLES, type PredefinedRole } from '../../domain/predefined-roles.js';
import type { RoleRef } from '../../domain/role.js';
import { RoleCatalog, type Named, type RoleView } from '../ports.js';

export class GetRole extends Query<RoleView | PredefinedRole> {
  constructor(readonly role: Named<RoleRef>) {
    super();
  }
}

@QueryHandler(GetRole)
export class GetRoleHandler implements IQueryHandler<GetRole> {
  constructor(private readonly roles: RoleCatalog) {}

  async execute({ role }: GetRole): Promise<RoleView | PredefinedRole> {
    return predefinedIn(role.tenantId).find(({ roleId }) => roleId === role.roleId) ?? this.roles.get(role);
  }
}

/** All of them, predefined ones first. */
export class ListRoles extends Query<(RoleView | PredefinedRole)[]> {
  constructor(readonly tenantId: string) {
    super();
  }
}

@QueryHandler(ListRoles)
export class ListRolesHandler implements IQueryHandler<ListRoles> {
  constructor(private readonly roles: RoleCatalog) {}

  async execute({ tenantId }: ListRoles): Promise<(RoleView | PredefinedRole)[]> {
    return [...predefinedIn(tenantId), ...(await this.roles.list(tenantId))];
  }
}

function predefinedIn(tenantId: string): PredefinedRole[] {
  const place = tenantId === SYSTEM_TENANT ? 'system' : 'tenant';
  return PREDEFINED_ROLES.filter(({ scope }) => scope === place);
}
