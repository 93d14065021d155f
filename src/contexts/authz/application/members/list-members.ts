import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { MemberRef } from '../../domain/member.js';
import { MemberCatalog, type MemberView, type Named } from '../ports.js';

export class GetMember extends Query<MemberView> {
  constructor(readonly member: Named<MemberRef>) {
    super();
  }
}

@QueryHandler(GetMember)
export class GetMemberHandler implements IQueryHandler<GetMember> {
  constructor(private readonly members: MemberCatalog) {}

  execute({ member }: GetMember): Promise<MemberView> {
    return this.members.get(member);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListMembers extends Query<MemberView[]> {
  constructor(
    readonly tenantId: string,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListMembers)
export class ListMembersHandler implements IQueryHandler<ListMembers> {
  constructor(private readonly members: MemberCatalog) {}

  execute({ tenantId, afterId, limit }: ListMembers): Promise<MemberView[]> {
    return this.members.list(tenantId, afterId, limit + 1);
  }
}
