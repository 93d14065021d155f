import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { systemActor } from '../../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../../kernel/ids.js';
import { auditedBy, AuditTrail } from '../../../../platform/audit/index.js';
import { Database } from '../../../../platform/postgres/database.js';
import { CREDENTIAL_KINDS, CredentialRows, type CredentialKind, type CredentialCursor } from './ports.js';

/**
 * At each start, before the first request: what was signed with the previous master key is signed again with the current one. It may be killed,
 * and run twice at once: a page is done or not, and a row is signed once.
 */
@Injectable()
export class SignCredentials {
  constructor(
    private readonly rows: CredentialRows,
    private readonly trail: AuditTrail,
    private readonly database: Database,
    private readonly log: PinoLogger,
  ) {}

  async run(): Promise<void> {
    for (const kind of CREDENTIAL_KINDS) await this.signKind(kind);
  }

  private async signKind(kind: CredentialKind): Promise<void> {
    const sum = { renewed: 0, refused: 0 };
    for (let after: CredentialCursor | undefined; ;) {
      const page = await this.rows.signPage(kind, after);
      for (const count of ['renewed', 'refused'] as const) sum[count] += page[count];
      after = page.next;
      if (!after) break;
    }
    if (sum.refused > 0)
      this.log.error({ kind, ...sum }, 'credentials that this installation did not sign are refused');
    if (sum.renewed > 0) await this.record(kind, sum);
  }

  private async record(kind: CredentialKind, after: object): Promise<void> {
    this.log.info({ kind, ...after }, 'credentials were signed with the master key of today');
    await this.database.transaction((sql) =>
      this.trail.write(sql, {
        ...auditedBy(systemActor(randomUUID())),
        tenantId: SYSTEM_TENANT,
        action: 'credentials.signed',
        outcome: 'success',
        resource: 'system',
        after: { kind, ...after },
      }),
    );
  }
}
