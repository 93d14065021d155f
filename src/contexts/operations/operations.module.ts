import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { AuthzModule } from '../authz/index.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

@Module({
  imports: [
    TerminusModule.forRoot({ logger: false }),
    PrometheusModule.registerAsync({
      imports: [AuthzModule],
      controller: MetricsController,
      useFactory: () => ({ defaultMetrics: { enabled: true } }),
    }),
  ],
  controllers: [HealthController],
})
export class OperationsModule {}
