import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { GroupPart, GroupRef } from '../../domain/group.js';
import { GroupCatalog, type GroupView, type Named } from '../ports.js';

export class GetGroup extends Query<GroupView> {
  constructor(readonly group: Named<GroupRef>) {
    super();
  }
}

@QueryHandler(GetGroup)
export class GetGroupHandler implements IQueryHandler<GetGroup> {
  constructor(private readonly groups: GroupCatalog) {}

  execute({ group }: GetGroup): Promise<GroupView> {
    return this.groups.get(group);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListGroups extends Query<GroupView[]> {
  constructor(
    readonly tenantId: string,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListGroups)
export class ListGroupsHandler implements IQueryHandler<ListGroups> {
  constructor(private readonly groups: GroupCatalog) {}

  execute({ tenantId, afterId, limit }: ListGroups): Promise<GroupView[]> {
    return this.groups.list(tenantId, afterId, limit + 1);
  }
}

/** Ids of its members, roles or groups; `limit + 1` of them. */
export class ListGroupParts extends Query<string[]> {
  constructor(
    readonly group: Named<GroupRef>,
    readonly part: GroupPart,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListGroupParts)
export class ListGroupPartsHandler implements IQueryHandler<ListGroupParts> {
  constructor(private readonly groups: GroupCatalog) {}

  execute({ group, part, afterId, limit }: ListGroupParts): Promise<string[]> {
    return this.groups.parts(group, part, afterId, limit + 1);
  }
}
