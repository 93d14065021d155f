import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { memberNotFound } from '../domain/member.js';
import type { Rule } from '../domain/rule.js';
import { visibleIn, type VisibleRule } from '../domain/visible-rule.js';
import { Authorizer } from './authorizer.js';
import { MemberCatalog } from './ports.js';

/** What a user may do in the system. */
export class GetSystemPermissions extends Query<readonly Rule[]> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetSystemPermissions)
export class GetSystemPermissionsHandler implements IQueryHandler<GetSystemPermissions> {
  constructor(private readonly authorizer: Authorizer) {}

  async execute({ userId }: GetSystemPermissions): Promise<readonly Rule[]> {
    const { policy } = await this.authorizer.subject(SYSTEM_TENANT, { id: userId, kind: 'user', userId });
    return policy.rules;
  }
}

/** What a user may do in a tenant, as far as it may be shown there. */
export class GetTenantPermissions extends Query<readonly VisibleRule[]> {
  constructor(
    readonly tenantId: string,
    readonly userId: string,
  ) {
    super();
  }
}

@QueryHandler(GetTenantPermissions)
export class GetTenantPermissionsHandler implements IQueryHandler<GetTenantPermissions> {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly members: MemberCatalog,
  ) {}

  async execute({ tenantId, userId }: GetTenantPermissions): Promise<readonly VisibleRule[]> {
    const { policy } = await this.authorizer.subject(tenantId, { id: userId, kind: 'user', userId });
    const shown = visibleIn(tenantId, policy.rules);
    if (shown.length === 0 && !(await this.members.find({ tenantId, userId }))) throw memberNotFound(userId);
    return shown;
  }
}
