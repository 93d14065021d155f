import { Global, Module, type DynamicModule, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { LoggerModule, PinoLogger } from 'nestjs-pino';
import { Clock, SystemClock, WallClock } from '../kernel/clock.js';
import { AuditLog, AuditRecords, AuditTrail } from './audit/index.js';
import {
  ADMIN_SETTINGS,
  AUDIT_SETTINGS,
  TENANT_SETTINGS,
  DELIVERY_SETTINGS,
  HTTP_SETTINGS,
  MAIL_SETTINGS,
  PUBLISH_SETTINGS,
  READ_SETTINGS,
  ROLES,
  SECURITY_SETTINGS,
  STORAGE_SETTINGS,
  TELEMETRY_SETTINGS,
  type Settings,
} from './config/index.js';
import { KeyRing } from './crypto/keys.js';
import { Egress } from './egress/index.js';
import {
  Aggregates,
  Appender,
  DurableSubscriptions,
  Hints,
  LogReader,
  LogSizes,
  LogTrimmer,
  ManagementWatch,
  Tails,
  type AppendListener,
} from './event-log/index.js';
import { Consistency } from './http/consistency.js';
import { Cursors } from './http/cursor.js';
import { Idempotency, IdempotencyInterceptor } from './http/idempotency.js';
import { KeptAnswerShares } from './http/kept-answer-shares.js';
import { ProblemFilter } from './http/problem-filter.js';
import { LogMailer, Mailer, NoMailer, Outbox, SmtpMailer } from './mail/index.js';
import { Database } from './postgres/database.js';
import { Presence } from './postgres/presence.js';
import { Storage } from './postgres/storage.js';
import { Due, logOf, Noticed, SagaBus, SagaFailures } from './sagas/index.js';
import { loggerOptions } from './telemetry/logger.js';
import { Metrics } from './telemetry/metrics.js';
import { Readiness } from './telemetry/readiness.js';

/** What exists before Nest does: the store is up, migrated and connected. */
export interface PlatformParts {
  readonly settings: Settings;
  readonly storage: Storage;
  readonly database: Database;
  readonly keys: KeyRing;
}

const APPEND_PATIENCE_MS = 5_000;
/** Revocations hold everywhere within a second (see ManagementWatch). */
const WATCH_POLL_MS = 250;
/** How often followed topics are looked up in case a hint was lost; alone on the store there are no hints to lose. */
const POLL_MS = { shared: 1_000, alone: 30_000 };

@Global()
@Module({})
export class PlatformModule implements OnApplicationShutdown {
  constructor(
    private readonly appender: Appender,
    private readonly subscriptions: DurableSubscriptions,
    private readonly tails: Tails,
    private readonly hints: Hints,
    private readonly watch: ManagementWatch,
    private readonly egress: Egress,
  ) {}

  static with(parts: PlatformParts): DynamicModule {
    const providers = [
      ...settingsProviders(parts.settings),
      ...partProviders(parts),
      ...auditProviders(parts),
      ...logProviders(parts),
      aggregatesProvider(),
      ...httpProviders(parts),
      ...mailProviders(parts),
    ];
    return {
      module: PlatformModule,
      imports: [LoggerModule.forRoot(loggerOptions(parts.settings.log.level))],
      providers,
      exports: providers,
    };
  }

  /** After the contexts have stopped their work: what was taken on is finished, then the connections go. */
  async onApplicationShutdown(): Promise<void> {
    await this.subscriptions.close();
    await this.appender.settled();
    await this.tails.close();
    await this.watch.close();
    await this.hints.close();
    await this.egress.close();
  }
}

function settingsProviders(settings: Settings): Provider[] {
  return [
    { provide: HTTP_SETTINGS, useValue: settings.http },
    { provide: ADMIN_SETTINGS, useValue: settings.admin },
    { provide: MAIL_SETTINGS, useValue: settings.mail },
    { provide: SECURITY_SETTINGS, useValue: settings.security },
    { provide: PUBLISH_SETTINGS, useValue: settings.publish },
    { provide: READ_SETTINGS, useValue: settings.read },
    { provide: STORAGE_SETTINGS, useValue: settings.storage },
    { provide: DELIVERY_SETTINGS, useValue: settings.delivery },
    { provide: TENANT_SETTINGS, useValue: settings.tenants },
    { provide: AUDIT_SETTINGS, useValue: settings.audit },
    { provide: TELEMETRY_SETTINGS, useValue: settings.telemetry },
    { provide: ROLES, useValue: settings.roles },
  ];
}

function partProviders({ settings, storage, database, keys }: PlatformParts): Provider[] {
  const { allowedCidrs, allowHttp, connectTimeoutMs, dnsServers } = settings.delivery;
  return [
    { provide: Clock, inject: [Metrics], useFactory: watchedClock },
    WallClock,
    { provide: Storage, useValue: storage },
    { provide: Database, useValue: database },
    { provide: KeyRing, useValue: keys },
    { provide: Presence, useValue: new Presence(!storage.shared) },
    {
      provide: Egress,
      inject: [WallClock],
      useFactory: (clock: WallClock) => new Egress({ allowedCidrs, allowHttp, connectTimeoutMs, dnsServers, clock }),
    },
    Readiness,
    { provide: Metrics, useFactory: () => new Metrics() },
    SagaFailures,
  ];
}

function watchedClock(metrics: Metrics): Clock {
  const clock = new SystemClock();
  const setBackSeconds = (): number => Math.round(clock.setBackMs() / 1_000);
  metrics.gauge('event_store_clock_set_back_seconds', 'By how much the system clock is behind ours.', setBackSeconds);
  return clock;
}

function auditProviders({ database, keys }: PlatformParts): Provider[] {
  const trailProvider = {
    provide: AuditTrail,
    inject: [Clock, Metrics, PinoLogger],
    useFactory: (clock: Clock, metrics: Metrics, log: PinoLogger) => {
      const trail = new AuditTrail(database, keys, clock, {
        onDelayed: (err) => log.warn({ err }, 'audit records wait for the store'),
        onLost(loss, records, err) {
          metrics.auditFault(loss, records);
          log.error({ loss, records, err }, 'audit records were lost');
        },
      });
      metrics.gauge('event_store_audit_queue_records', 'Audit records that wait to be stored.', () => trail.depth);
      return trail;
    },
  };
  return [
    trailProvider,
    { provide: AuditLog, useValue: new AuditLog(database) },
    { provide: AuditRecords, useValue: new AuditRecords(database) },
  ];
}

function logProviders({ settings, storage }: PlatformParts): Provider[] {
  const warn = (log: PinoLogger, message: string) => (err: unknown) => log.warn({ err }, message);
  return [
    { provide: LogReader, inject: [Database], useFactory: (database: Database) => new LogReader(database) },
    { provide: LogSizes, inject: [Database], useFactory: (database: Database) => new LogSizes(database) },
    { provide: LogTrimmer, inject: [Database], useFactory: (database: Database) => new LogTrimmer(database) },
    {
      provide: Hints,
      inject: [Database, Presence, PinoLogger],
      useFactory: (database: Database, presence: Presence, log: PinoLogger) =>
        new Hints(database, storage.shared, presence, warn(log, 'hints to other instances are interrupted')),
    },
    {
      provide: Tails,
      inject: [LogReader, Hints, Metrics, PinoLogger],
      useFactory: (reader: LogReader, hints: Hints, metrics: Metrics, log: PinoLogger) =>
        new Tails(reader, hints, {
          cacheBytesMax: settings.delivery.tailCacheBytes,
          pollMs: storage.shared ? POLL_MS.shared : POLL_MS.alone,
          onError: warn(log, 'the ends of topics could not be read'),
          onFlush: (durationMs, events) => metrics.flushed(durationMs, events),
        }),
    },
    {
      provide: Appender,
      inject: [Database, Clock, Tails, Metrics],
      useFactory: (database: Database, clock: Clock, tails: Tails, metrics: Metrics) => {
        const { queueEventsMax, queueBytesMax } = settings.publish;
        const appender = new Appender(database, clock, tails, {
          queueEventsMax,
          queueBytesMax,
          patienceMs: APPEND_PATIENCE_MS,
        });
        metrics.gauge('event_store_append_queue_events', 'Events that wait to be stored.', () => appender.depth);
        return appender;
      },
    },
    {
      provide: ManagementWatch,
      inject: [LogReader, Hints, SagaBus, PinoLogger],
      useFactory: (reader: LogReader, hints: Hints, sagas: SagaBus, log: PinoLogger) =>
        new ManagementWatch(reader, hints, {
          pollMs: storage.shared ? WATCH_POLL_MS : undefined,
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
          failures.willTryAgain.bind(failures),
        ),
    },
  ];
}

function aggregatesProvider(): Provider {
  return {
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
  };
}

function httpProviders({ keys }: PlatformParts): Provider[] {
  const cursors = { provide: Cursors, useValue: new Cursors(keys) };
  return [cursors, Consistency, KeptAnswerShares, Idempotency, IdempotencyInterceptor, ProblemFilter];
}

function mailProviders({ settings: { mail } }: PlatformParts): Provider[] {
  return [
    {
      provide: Mailer,
      inject: [PinoLogger],
      useFactory: (log: PinoLogger): Mailer => {
        if (mail.url) return new SmtpMailer(mail.url.reveal(), mail.from!);
        const write = (fields: object, message: string): void => log.warn(fields, message);
        return mail.log ? new LogMailer(write) : new NoMailer(write);
      },
    },
    {
      provide: Outbox,
      inject: [Mailer, PinoLogger],
      useFactory: (mailer: Mailer, log: PinoLogger) =>
        new Outbox(mailer, (err, attempt, final) =>
          log.warn({ err, attempt }, final ? 'a mail is given up' : 'a mail was not taken; will try again'),
        ),
    },
  ];
}
