import { Module, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { getToken, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import { PinoLogger } from 'nestjs-pino';
import type { Histogram } from 'prom-client';
import { Clock } from '../../kernel/clock.js';
import { AuditTrailModule } from '../audit/audit-trail.module.js';
import { AuditTrail } from '../audit/index.js';
import { ClockModule } from '../clock/clock.module.js';
import { DELIVERY_SETTINGS, PUBLISH_SETTINGS, type Settings } from '../config/index.js';
import { Database } from '../postgres/database.js';
import { PostgresModule } from '../postgres/postgres.module.js';
import { Presence } from '../postgres/presence.js';
import { Storage } from '../postgres/storage.js';
import { Due, logOf, Noticed, SagaBus, SagaFailures } from '../sagas/index.js';
import { SagaFailuresModule } from '../sagas/saga-failures.module.js';
import { LATENCY_SECONDS, Metrics } from '../telemetry/metrics.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { Aggregates } from './aggregates.js';
import { AppendMetrics } from './append-metrics.js';
import { Appender, type AppendListener } from './appender.js';
import { DurableSubscriptions } from './durable-subscription.js';
import { Hints } from './hints.js';
import { LogReader } from './log-reader.js';
import { LogSizes } from './log-sizes.js';
import { LogTrimmer } from './log-trimmer.js';
import { ManagementWatch } from './management-watch.js';
import { Tails } from './tails.js';

const APPEND_PATIENCE_MS = 5_000;
/** Revocations take effect everywhere within a second (see ManagementWatch). */
const WATCH_POLL_MS = 250;
/** How often followed topics are looked up in case a hint was lost; an instance alone on the store has no hints to lose. */
const POLL_MS = { shared: 1_000, alone: 30_000 };

const DURATION = 'event_store_append_duration_seconds';
const BATCH = 'event_store_append_batch_events';

const warn = (log: PinoLogger, message: string) => (err: unknown) => log.warn({ err }, message);

const appendMetrics: Provider[] = [
  makeHistogramProvider({
    name: DURATION,
    help: 'From taking a batch off the queue to its commit.',
    buckets: LATENCY_SECONDS,
  }),
  makeHistogramProvider({
    name: BATCH,
    help: 'Events stored by one flush.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000],
  }),
  {
    provide: AppendMetrics,
    inject: [getToken(DURATION), getToken(BATCH)],
    useFactory: (duration: Histogram, batch: Histogram) => new AppendMetrics(duration, batch),
  },
];

@Module({
  imports: [PostgresModule, ClockModule, TelemetryModule, AuditTrailModule, SagaFailuresModule],
  providers: [
    ...appendMetrics,
    { provide: LogReader, inject: [Database], useFactory: (database: Database) => new LogReader(database) },
    { provide: LogSizes, inject: [Database], useFactory: (database: Database) => new LogSizes(database) },
    { provide: LogTrimmer, inject: [Database], useFactory: (database: Database) => new LogTrimmer(database) },
    {
      provide: Hints,
      inject: [Database, Storage, Presence, PinoLogger],
      useFactory: (database: Database, { shared }: Storage, presence: Presence, log: PinoLogger) =>
        new Hints(database, shared, presence, warn(log, 'hints to other instances are interrupted')),
    },
    {
      provide: Tails,
      inject: [LogReader, Hints, Storage, DELIVERY_SETTINGS, AppendMetrics, PinoLogger],
      useFactory: (
        reader: LogReader,
        hints: Hints,
        { shared }: Storage,
        { tailCacheBytes }: Settings['delivery'],
        appends: AppendMetrics,
        log: PinoLogger,
      ) =>
        new Tails(reader, hints, {
          cacheBytesMax: tailCacheBytes,
          pollMs: shared ? POLL_MS.shared : POLL_MS.alone,
          onError: warn(log, 'the ends of topics could not be read'),
          onFlush: (durationMs, events) => appends.flushed(durationMs, events),
        }),
    },
    {
      provide: Appender,
      inject: [Database, Clock, Tails, PUBLISH_SETTINGS, Metrics],
      useFactory: (
        database: Database,
        clock: Clock,
        tails: Tails,
        { queueEventsMax, queueBytesMax }: Settings['publish'],
        metrics: Metrics,
      ) => {
        const options = { queueEventsMax, queueBytesMax, patienceMs: APPEND_PATIENCE_MS };
        const appender = new Appender(database, clock, tails, options);
        metrics.gauge('event_store_append_queue_events', 'Events that wait to be stored.', () => appender.depth);
        return appender;
      },
    },
    {
      provide: ManagementWatch,
      inject: [LogReader, Hints, Storage, SagaBus, PinoLogger],
      useFactory: (reader: LogReader, hints: Hints, { shared }: Storage, sagas: SagaBus, log: PinoLogger) =>
        new ManagementWatch(reader, hints, {
          pollMs: shared ? WATCH_POLL_MS : undefined,
          notice: (topicUid, event) => sagas.notice(new Noticed(logOf(topicUid), event)),
          onError: warn(log, 'the management logs could not be read'),
        }),
    },
    {
      provide: DurableSubscriptions,
      inject: [Database, Tails, SagaBus, SagaFailures],
      useFactory: (database: Database, tails: Tails, sagas: SagaBus, failures: SagaFailures) =>
        new DurableSubscriptions(
          database,
          tails,
          ({ name }, events, signal) => sagas.settle(new Due(name, events, signal)),
          failures.reportRetry.bind(failures),
        ),
    },
    {
      provide: Aggregates,
      inject: [Database, LogReader, Clock, AuditTrail, Tails, ManagementWatch],
      useFactory: (
        database: Database,
        reader: LogReader,
        clock: Clock,
        audit: AuditTrail,
        tails: Tails,
        watch: ManagementWatch,
      ) => {
        const appended: AppendListener['appended'] = (topicUid, events) => {
          watch.appended(topicUid, events);
          tails.appended(topicUid, events);
        };
        return new Aggregates(database, reader, clock, { appended }, audit);
      },
    },
  ],
  exports: [LogReader, LogSizes, LogTrimmer, Hints, Tails, Appender, ManagementWatch, DurableSubscriptions, Aggregates],
})
export class EventLogModule implements OnApplicationShutdown {
  constructor(
    private readonly appender: Appender,
    private readonly subscriptions: DurableSubscriptions,
    private readonly tails: Tails,
    private readonly hints: Hints,
    private readonly watch: ManagementWatch,
  ) {}

  /** After the contexts have stopped their work: accepted events are stored, then the connections are closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.subscriptions.close();
    await this.appender.settled();
    await this.tails.close();
    await this.watch.close();
    await this.hints.close();
  }
}
