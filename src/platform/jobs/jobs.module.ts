import {
  Module,
  type BeforeApplicationShutdown,
  type FactoryProvider,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../kernel/clock.js';
import { ClockModule } from '../clock/clock.module.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { Presence } from '../postgres/presence.js';
import { JOB_PACE, JobRunner } from './job-runner.js';
import { JobStore } from './job-store.js';
import { LOOP_METRICS } from './loop-metrics.js';

const RUNNER: FactoryProvider<JobRunner> = {
  provide: JobRunner,
  inject: [JobStore, Clock, PinoLogger, Presence],
  useFactory: (store: JobStore, clock: Clock, log: PinoLogger, { id: owner }: Presence) =>
    new JobRunner(store, clock, log, { owner, ...JOB_PACE }),
};

/** For contexts with background work. They register their kinds before the application is up. */
@Module({
  imports: [PostgresModule, ClockModule],
  providers: [JobStore, RUNNER, ...LOOP_METRICS],
  exports: [JobStore, JobRunner],
})
export class JobsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly runner: JobRunner) {}

  onApplicationBootstrap(): void {
    this.runner.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.runner.close();
  }
}
