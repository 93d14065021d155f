import { Module } from '@nestjs/common';
import { Clock, SystemClock, WallClock } from '../../kernel/clock.js';
import { Metrics } from '../telemetry/metrics.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';

function watchedClock(metrics: Metrics): Clock {
  const clock = new SystemClock();
  const setBackSeconds = (): number => Math.round(clock.setBackMs() / 1_000);
  metrics.gauge('event_store_clock_set_back_seconds', 'By how much the system clock is behind ours.', setBackSeconds);
  return clock;
}

@Module({
  imports: [TelemetryModule],
  providers: [{ provide: Clock, inject: [Metrics], useFactory: watchedClock }, WallClock],
  exports: [Clock, WallClock],
})
export class ClockModule {}
