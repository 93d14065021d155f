import { Module } from '@nestjs/common';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';

@Module({
  providers: [{ provide: Metrics, useFactory: () => new Metrics() }, Readiness],
  exports: [Metrics, Readiness],
})
export class TelemetryModule {}
