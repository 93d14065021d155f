import { Module } from '@nestjs/common';
import { getToken, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { PinoLogger } from 'nestjs-pino';
import type { Counter } from 'prom-client';
import { Clock } from '../../kernel/clock.js';
import { ClockModule } from '../clock/clock.module.js';
import { CryptoModule } from '../crypto/crypto.module.js';
import { KeyRing } from '../crypto/keys.js';
import { Database } from '../postgres/database.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { Metrics } from '../telemetry/metrics.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { AuditFaults } from './audit-faults.js';
import { AuditLog } from './audit-log.js';
import { AuditRecords } from './audit-records.js';
import { AuditTrail } from './audit-trail.js';

const FAULTS = 'event_store_audit_faults_total';

type TrailParts = [Database, KeyRing, Clock, Metrics, AuditFaults, PinoLogger];

function openTrail(...[database, keys, clock, metrics, faults, log]: TrailParts): AuditTrail {
  const trail = new AuditTrail(database, keys, clock, {
    onDelayed: (err) => log.warn({ err }, 'audit records wait for the store'),
    onLost(loss, records, err) {
      faults.count(loss, records);
      log.error({ loss, records, err }, 'audit records were lost');
    },
  });
  metrics.gauge('event_store_audit_queue_records', 'Audit records that wait to be stored.', () => trail.depth);
  return trail;
}

@Module({
  imports: [PostgresModule, CryptoModule, ClockModule, TelemetryModule],
  providers: [
    makeCounterProvider({
      name: FAULTS,
      help: 'Audit records that were lost, and chains that are broken.',
      labelNames: ['kind'],
    }),
    {
      provide: AuditFaults,
      inject: [getToken(FAULTS)],
      useFactory: (faults: Counter<'kind'>) => new AuditFaults(faults),
    },
    {
      provide: AuditTrail,
      inject: [Database, KeyRing, Clock, Metrics, AuditFaults, PinoLogger],
      useFactory: openTrail,
    },
    { provide: AuditLog, inject: [Database], useFactory: (database: Database) => new AuditLog(database) },
    { provide: AuditRecords, inject: [Database], useFactory: (database: Database) => new AuditRecords(database) },
  ],
  exports: [AuditTrail, AuditLog, AuditRecords, AuditFaults],
})
export class AuditTrailModule {}
