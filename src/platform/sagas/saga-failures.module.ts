import { Module } from '@nestjs/common';
import { getToken, makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { PinoLogger } from 'nestjs-pino';
import type { Counter } from 'prom-client';
import { SagaFailures } from './saga-failures.js';

const FAILURES = 'event_store_saga_failures_total';

@Module({
  providers: [
    makeCounterProvider({
      name: FAILURES,
      help: 'What sagas, their commands or durable subscriptions did not get done at once, by name.',
      labelNames: ['name'],
    }),
    {
      provide: SagaFailures,
      inject: [PinoLogger, getToken(FAILURES)],
      useFactory: (log: PinoLogger, failures: Counter<'name'>) => new SagaFailures(log, failures),
    },
  ],
  exports: [SagaFailures],
})
export class SagaFailuresModule {}
