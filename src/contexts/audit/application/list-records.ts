import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { AuditLog, FIRST_ID, type AuditFilter, type AuditView } from '../../../platform/audit/index.js';

/** The newest first; up to `limit + 1`, so that the caller sees whether there are more. */
export class ListAuditRecords extends Query<AuditView[]> {
  constructor(
    /** Undefined: those of all tenants. */
    readonly tenantId: string | undefined,
    readonly filter: AuditFilter,
    readonly before: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListAuditRecords)
export class ListAuditRecordsHandler implements IQueryHandler<ListAuditRecords> {
  constructor(private readonly audit: AuditLog) {}

  execute({ tenantId, filter, before, limit }: ListAuditRecords): Promise<AuditView[]> {
    const range = { order: 'desc', after: FIRST_ID, before, limit: limit + 1 } as const;
    return tenantId === undefined
      ? this.audit.pageOfAllTenants(filter, range)
      : this.audit.page(tenantId, filter, range);
  }
}
