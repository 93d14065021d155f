import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { TelemetryModule } from '../../platform/telemetry/telemetry.module.js';
import { AuthzModule } from '../authz/index.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

/** Each sample wakes the process: the default of 10 ms was most of the CPU of an idle one. Every longer delay is still measured. */
const LOOP_DELAY_LOOK_MS = 50;

@Module({
  imports: [
    PostgresModule,
    TelemetryModule,
    TerminusModule.forRoot({ logger: false }),
    PrometheusModule.registerAsync({
      imports: [AuthzModule, TelemetryModule],
      controller: MetricsController,
      useFactory: () => ({
        defaultMetrics: { enabled: true, config: { eventLoopMonitoringPrecision: LOOP_DELAY_LOOK_MS } },
      }),
    }),
  ],
  controllers: [HealthController],
})
export class OperationsModule {}
