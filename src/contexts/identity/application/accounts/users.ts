import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { UserAccounts, type Account } from './ports.js';

export class GetUser extends Query<Account> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(GetUser)
export class GetUserHandler implements IQueryHandler<GetUser> {
  constructor(private readonly accounts: UserAccounts) {}

  execute({ userId }: GetUser): Promise<Account> {
    return this.accounts.require(userId);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListUsers extends Query<Account[]> {
  constructor(
    readonly filter: { readonly email?: string },
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListUsers)
export class ListUsersHandler implements IQueryHandler<ListUsers> {
  constructor(private readonly accounts: UserAccounts) {}

  execute({ filter: { email }, afterId, limit }: ListUsers): Promise<Account[]> {
    return this.accounts.list(email === undefined ? {} : { email }, afterId, limit + 1);
  }
}
