import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { JobStore, type Job } from '../../../platform/jobs/index.js';
import type { DeletionState } from '../domain/tenant-deletion.js';

/** The kind of job; its id is that of the deletion. */
export const TENANT_DELETION = 'tenant-deletion';

export interface DeletionPayload {
  readonly startedBy: string | null;
}

/** The removal of a tenant with all that it holds. */
export interface TenantDeletion {
  readonly deletionId: string;
  readonly tenantId: string;
  /** The user whose rights were used. */
  readonly startedBy: string | null;
  readonly state: DeletionState;
  /** Namespaces, topics, consumers and events; 0 while it is queued. */
  readonly total: number;
  readonly done: number;
  /** Why the last attempt failed. */
  readonly error: string | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

/** Its state is never `cancelled`: nothing requests that. */
const toDeletion = ({ jobId, tenantId, payload, state, total, done, error, createdAt, finishedAt }: Job) => ({
  deletionId: jobId,
  tenantId,
  ...(payload as DeletionPayload),
  state: state as DeletionState,
  total,
  done,
  error,
  startedAt: createdAt,
  finishedAt,
});

export async function findDeletion(jobs: JobStore, deletionId: string): Promise<TenantDeletion | undefined> {
  const job = await jobs.find(TENANT_DELETION, deletionId);
  return job && toDeletion(job);
}

/** Undefined: there is none, or none any more. */
export class GetTenantDeletion extends Query<TenantDeletion | undefined> {
  constructor(readonly deletionId: string) {
    super();
  }
}

@QueryHandler(GetTenantDeletion)
export class GetTenantDeletionHandler implements IQueryHandler<GetTenantDeletion> {
  constructor(private readonly jobs: JobStore) {}

  execute({ deletionId }: GetTenantDeletion): Promise<TenantDeletion | undefined> {
    return findDeletion(this.jobs, deletionId);
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
  constructor(private readonly jobs: JobStore) {}

  async execute({ afterId, limit }: ListTenantDeletions): Promise<TenantDeletion[]> {
    return (await this.jobs.list(TENANT_DELETION, afterId, limit + 1)).map(toDeletion);
  }
}

export const DELETION_HANDLERS = [GetTenantDeletionHandler, ListTenantDeletionsHandler];
