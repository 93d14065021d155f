import { Module } from '@nestjs/common';
import { getToken, makeCounterProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import type { Counter, Histogram } from 'prom-client';
import { ClockModule } from '../clock/clock.module.js';
import { CryptoModule } from '../crypto/crypto.module.js';
import { KeyRing } from '../crypto/keys.js';
import { EventLogModule } from '../event-log/event-log.module.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { LATENCY_SECONDS } from '../telemetry/metrics.js';
import { Consistency } from './consistency.js';
import { Cursors } from './cursor.js';
import { HttpMetrics } from './http-metrics.js';
import { Idempotency, IdempotencyInterceptor } from './idempotency.js';
import { KeptResponseShares } from './kept-response-shares.js';
import { ProblemFilter } from './problem-filter.js';

const REFUSALS = 'event_store_requests_refused_total';
const REQUESTS = 'event_store_http_request_duration_seconds';

@Module({
  imports: [PostgresModule, CryptoModule, ClockModule, EventLogModule],
  providers: [
    makeCounterProvider({
      name: REFUSALS,
      help: 'Requests that were answered by a problem, by its code.',
      labelNames: ['code'],
    }),
    makeHistogramProvider({
      name: REQUESTS,
      help: 'From the request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: LATENCY_SECONDS,
    }),
    {
      provide: HttpMetrics,
      inject: [getToken(REFUSALS), getToken(REQUESTS)],
      useFactory: (refusals: Counter<'code'>, requests: Histogram<'method' | 'route' | 'status'>) =>
        new HttpMetrics(refusals, requests),
    },
    { provide: Cursors, inject: [KeyRing], useFactory: (keys: KeyRing) => new Cursors(keys) },
    Consistency,
    KeptResponseShares,
    Idempotency,
    IdempotencyInterceptor,
    ProblemFilter,
  ],
  exports: [Cursors, Consistency, KeptResponseShares, Idempotency],
})
export class HttpModule {}
