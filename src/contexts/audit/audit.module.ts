import { Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { ClockModule } from '../../platform/clock/clock.module.js';
import { AuditTrailModule } from '../../platform/audit/audit-trail.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { AuditTrail } from '../../platform/audit/index.js';
import { TenancyModule } from '../tenancy/index.js';
import { AuditResponses } from './adapters/audit-responses.js';
import { PostgresAuditChains } from './adapters/postgres-audit-chains.js';
import { PostgresAuditHeads } from './adapters/postgres-audit-heads.js';
import { PostgresAuditRetentions } from './adapters/postgres-audit-retentions.js';
import { SystemAuditController } from './adapters/system-audit.controller.js';
import { TenantAuditController } from './adapters/tenant-audit.controller.js';
import { ChainVerifier } from './application/chain-verifier.js';
import { ExportAuditRecordsHandler } from './application/export-records.js';
import { InitializeHeads } from './application/initialize-heads.js';
import { ExpensiveQuerySlots } from './application/expensive-query-slots.js';
import { ListAuditRecordsHandler } from './application/list-records.js';
import { AuditChains, AuditHeads, AuditRetentions } from './application/ports.js';
import { ChangeAuditRetentionHandler, GetAuditRetentionHandler } from './application/retention.js';
import { SealRecords } from './application/seal-records.js';
import { TrimChains } from './application/trim-chains.js';
import { VerifyAuditHandler } from './application/verify-audit.js';

@Module({
  imports: [PostgresModule, CryptoModule, ClockModule, AuditTrailModule, HttpModule, TenancyModule],
  controllers: [SystemAuditController, TenantAuditController],
  providers: [
    { provide: AuditChains, useClass: PostgresAuditChains },
    { provide: AuditHeads, useClass: PostgresAuditHeads },
    { provide: AuditRetentions, useClass: PostgresAuditRetentions },
    AuditResponses,
    InitializeHeads,
    ExpensiveQuerySlots,
    SealRecords,
    TrimChains,
    ChainVerifier,
    ListAuditRecordsHandler,
    ExportAuditRecordsHandler,
    GetAuditRetentionHandler,
    ChangeAuditRetentionHandler,
    VerifyAuditHandler,
  ],
  exports: [InitializeHeads],
})
export class AuditModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly seal: SealRecords,
    private readonly trim: TrimChains,
    private readonly trail: AuditTrail,
  ) {}

  onApplicationBootstrap(): void {
    this.trail.onRecord = () => this.seal.onRecord();
    this.seal.start();
    this.trim.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.seal.close();
    await this.trim.close();
  }
}
