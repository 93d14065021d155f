import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import {
  auditedBy,
  AuditLog,
  AuditTrail,
  FIRST_ID,
  type AuditFilter,
  type AuditRange,
  type AuditView,
} from '../../../platform/audit/index.js';
import { Database } from '../../../platform/postgres/database.js';
import { throwIfStopped } from '../domain/audit-errors.js';
import { ExpensiveQuerySlots, type Slot } from './expensive-query-slots.js';

/** Records have up to 64 KiB each. */
const PAGE = 200;

export type ExportFormat = 'ndjson' | 'csv';

/** All records at the time of the request, the oldest first. The export is itself recorded before the first record is sent. */
export class ExportAuditRecords extends Command<AsyncGenerator<AuditView[]>> {
  constructor(
    /** Undefined: those of all tenants. */
    readonly tenantId: string | undefined,
    readonly filter: AuditFilter,
    readonly format: ExportFormat,
    readonly by: Actor,
    readonly signal: AbortSignal,
  ) {
    super();
  }
}

@CommandHandler(ExportAuditRecords)
export class ExportAuditRecordsHandler implements ICommandHandler<ExportAuditRecords> {
  constructor(
    private readonly audit: AuditLog,
    private readonly trail: AuditTrail,
    private readonly database: Database,
    private readonly work: ExpensiveQuerySlots,
  ) {}

  async execute({ tenantId, filter, format, by, signal }: ExportAuditRecords): Promise<AsyncGenerator<AuditView[]>> {
    const slot = this.work.enter({ tenantId, userId: by.origin?.userId ?? null }, signal);
    try {
      const own = await this.database.transaction((sql) =>
        this.trail.write(sql, {
          ...auditedBy(by),
          tenantId: tenantId ?? SYSTEM_TENANT,
          action: 'audit.exported',
          outcome: 'success',
          resource: auditResource(tenantId),
          after: { format, filter },
        }),
      );
      return this.pages(tenantId, filter, own, slot);
    } catch (error) {
      slot.leave();
      throw error;
    }
  }

  private async *pages(
    tenantId: string | undefined,
    filter: AuditFilter,
    before: string,
    { signal, leave }: Slot,
  ): AsyncGenerator<AuditView[]> {
    try {
      for (let after = FIRST_ID; ;) {
        throwIfStopped(signal);
        const range: AuditRange = { order: 'asc', after, before, limit: PAGE };
        const page = await (tenantId === undefined
          ? this.audit.pageOfAllTenants(filter, range)
          : this.audit.page(tenantId, filter, range));
        if (page.length > 0) yield page;
        if (page.length < PAGE) return;
        after = page.at(-1)!.auditId;
      }
    } finally {
      leave();
    }
  }
}

/** The resource as permissions and the audit itself name it. */
export const auditResource = (tenantId: string | undefined): string =>
  tenantId === undefined ? 'audit' : `tenants/${tenantId}/audit`;

/** The same by the tenant of the records, `$system` included. */
export const auditResourceOfOwner = (owner: string): string =>
  auditResource(owner === SYSTEM_TENANT ? undefined : owner);
