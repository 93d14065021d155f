import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DeletionJobs, type TenantDeletion } from './ports.js';

/** Undefined: there is none, or none any more. */
export class GetTenantDeletion extends Query<TenantDeletion | undefined> {
  constructor(readonly deletionId: string) {
    super();
  }
}

@QueryHandler(GetTenantDeletion)
export class GetTenantDeletionHandler implements IQueryHandler<GetTenantDeletion> {
  constructor(private readonly jobs: DeletionJobs) {}

  execute({ deletionId }: GetTenantDeletion): Promise<TenantDeletion | undefined> {
    return this.jobs.find(deletionId);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListTenantDeletions extends Query<TenantDeletion[]> {
  constructor(
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListTenantDeletions)
export class ListTenantDeletionsHandler implements IQueryHandler<ListTenantDeletions> {
  constructor(private readonly jobs: DeletionJobs) {}

  execute({ afterId, limit }: ListTenantDeletions): Promise<TenantDeletion[]> {
    return this.jobs.list(afterId, limit + 1);
  }
}

export const DELETION_HANDLERS = [GetTenantDeletionHandler, ListTenantDeletionsHandler];
