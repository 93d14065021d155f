import { Inject } from '@nestjs/common';
import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import { Clock } from '../../../kernel/clock.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { auditedBy, AuditTrail } from '../../../platform/audit/index.js';
import { AUDIT_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { ConflictError, requireVersion, retryOnConflict } from '../../../platform/event-log/index.js';
import { Database, type Sql } from '../../../platform/postgres/database.js';
import { maxAgeOf, parseMaxAge } from '../domain/retention.js';
import { auditResource } from './export-records.js';
import { AuditRetentions, type Retention } from './ports.js';

export class GetAuditRetention extends Query<Retention> {
  constructor(
    /** Undefined: the system's own records. */
    readonly tenantId: string | undefined,
  ) {
    super();
  }
}

@QueryHandler(GetAuditRetention)
export class GetAuditRetentionHandler implements IQueryHandler<GetAuditRetention> {
  constructor(
    private readonly retentions: AuditRetentions,
    @Inject(AUDIT_SETTINGS) private readonly settings: Settings['audit'],
  ) {}

  async execute({ tenantId }: GetAuditRetention): Promise<Retention> {
    const own = await this.retentions.find(tenantId ?? SYSTEM_TENANT);
    return own ?? { days: this.settings.retentionDays, version: 0, genuine: true };
  }
}

export class ChangeAuditRetention extends Command<Retention> {
  constructor(
    /** Undefined: the system's own records. */
    readonly tenantId: string | undefined,
    /** `P400D` */
    readonly maxAge: string,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

/** The change and its audit record are one transaction; the next sweep follows it. */
@CommandHandler(ChangeAuditRetention)
export class ChangeAuditRetentionHandler implements ICommandHandler<ChangeAuditRetention> {
  constructor(
    private readonly retentions: AuditRetentions,
    private readonly current: GetAuditRetentionHandler,
    private readonly trail: AuditTrail,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async execute(command: ChangeAuditRetention): Promise<Retention> {
    const days = parseMaxAge(command.maxAge);
    return retryOnConflict('The retention', async () => {
      const before = await this.current.execute(command);
      // Without one of its own the tenant has that of the settings, at version 0.
      requireVersion(before.version, command.expectedVersion, true);
      if (before.version > 0 && before.genuine && before.days === days) return before;
      await this.database.transaction((sql) => this.replace(sql, command, before, days));
      return { days, version: before.version + 1, genuine: true };
    });
  }

  private async replace(
    sql: Sql,
    { tenantId, by }: ChangeAuditRetention,
    before: Retention,
    days: number,
  ): Promise<void> {
    const owner = tenantId ?? SYSTEM_TENANT;
    const replaced = await this.retentions.replace(sql, owner, before.version, days, this.clock.now());
    if (!replaced) throw new ConflictError();
    await this.trail.write(sql, {
      ...auditedBy(by),
      tenantId: owner,
      action: 'audit.retention-changed',
      outcome: 'success',
      resource: auditResource(tenantId),
      before: { maxAge: maxAgeOf(before.days) },
      after: { maxAge: maxAgeOf(days) },
    });
  }
}
