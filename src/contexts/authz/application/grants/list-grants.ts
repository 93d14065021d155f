import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { GrantRef } from '../../domain/grant.js';
import { GrantCatalog, type GrantView, type Named } from '../ports.js';

export class GetGrant extends Query<GrantView> {
  constructor(readonly grant: Named<GrantRef>) {
    super();
  }
}

@QueryHandler(GetGrant)
export class GetGrantHandler implements IQueryHandler<GetGrant> {
  constructor(private readonly grants: GrantCatalog) {}

  execute({ grant }: GetGrant): Promise<GrantView> {
    return this.grants.get(grant);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListGrants extends Query<GrantView[]> {
  constructor(
    readonly tenantId: string,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListGrants)
export class ListGrantsHandler implements IQueryHandler<ListGrants> {
  constructor(private readonly grants: GrantCatalog) {}

  execute({ tenantId, afterId, limit }: ListGrants): Promise<GrantView[]> {
    return this.grants.list(tenantId, afterId, limit + 1);
  }
}
