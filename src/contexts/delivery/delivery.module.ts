import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { getToken, makeCounterProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import { Clock, WallClock } from '../../kernel/clock.js';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { ClockModule } from '../../platform/clock/clock.module.js';
import { LATENCY_SECONDS } from '../../platform/telemetry/metrics.js';
import { TelemetryModule } from '../../platform/telemetry/telemetry.module.js';
import { EgressModule } from '../../platform/egress/egress.module.js';
import { EventLogModule } from '../../platform/event-log/event-log.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { DELIVERY_SETTINGS, ROLES, STORAGE_SETTINGS, type Settings } from '../../platform/config/index.js';
import { Egress } from '../../platform/egress/index.js';
import { LogReader, Tails } from '../../platform/event-log/index.js';
import { Storage } from '../../platform/postgres/storage.js';
import { ConsumerCatalog, ConsumerLanes, ConsumersModule } from '../consumers/index.js';
import { TenancyModule, TenantGates } from '../tenancy/index.js';
import { TopicCatalog, TopicsModule } from '../topics/index.js';
import { DeliveryController } from './adapters/delivery.controller.js';
import { InlineLanes } from './adapters/inline-lanes.js';
import type { ThreadSetup } from './adapters/lane-messages.js';
import { LaneThreads } from './adapters/lane-threads.js';
import { PostgresLaneKeeper } from './adapters/postgres-lane-keeper.js';
import { PostgresLanes } from './adapters/postgres-lanes.js';
import { GetConsumerStatusHandler } from './application/consumer-status.js';
import { DeliveryEngine, type EngineOptions } from './application/delivery-engine.js';
import { DeliveryGauges } from './application/delivery-gauges.js';
import { DeliveryMetrics } from './application/delivery-metrics.js';
import { DeliveryReport } from './application/delivery-report.js';
import { DeliverySagas } from './application/delivery.sagas.js';
import { DeliveryWorker } from './application/delivery-worker.js';
import { ReviewLanesHandler } from './application/review-lanes.js';
import type { LaneTools } from './application/lane.js';
import { Membership } from './application/membership.js';
import { LaneRunner, LaneStore } from './application/ports.js';
import { SendTestDeliveryHandler } from './application/test-delivery.js';

const ATTEMPTS = 'event_store_delivery_attempts_total';
const ATTEMPT_SECONDS = 'event_store_delivery_duration_seconds';
const GAPS = 'event_store_delivery_gaps_total';

const METRICS: Provider[] = [
  makeCounterProvider({ name: ATTEMPTS, help: 'Attempts to deliver, by outcome.', labelNames: ['outcome'] }),
  makeHistogramProvider({ name: ATTEMPT_SECONDS, help: 'Duration of one attempt.', buckets: LATENCY_SECONDS }),
  makeCounterProvider({
    name: GAPS,
    help: 'Places of consumers that did not exist any more.',
    labelNames: ['kind'],
  }),
  {
    provide: DeliveryMetrics,
    inject: [getToken(ATTEMPTS), getToken(ATTEMPT_SECONDS), getToken(GAPS)],
    useFactory: (...metrics: ConstructorParameters<typeof DeliveryMetrics>) => new DeliveryMetrics(...metrics),
  },
];

const LANE_TOOLS = Symbol('lane tools');
const ENGINE_OPTIONS = Symbol('engine options');

function openRunner(
  tools: LaneTools,
  report: DeliveryReport,
  storage: Storage,
  delivery: Settings['delivery'],
  { databaseUrl, databaseCaFile, poolSize, statementTimeoutMs, lockTimeoutMs }: Settings['storage'],
): LaneRunner {
  const { tails } = tools;
  const { threads, allowedCidrs, allowHttp, connectTimeoutMs, dnsServers, tailCacheBytes } = delivery;
  if (threads === 0) return new InlineLanes(tools);
  const url = databaseUrl?.reveal();
  const connection = url === undefined ? storage.connection : undefined;
  const setup: ThreadSetup = {
    database: { connection, url, caFile: databaseCaFile, poolSize, statementTimeoutMs, lockTimeoutMs },
    egress: { allowedCidrs, allowHttp, connectTimeoutMs, dnsServers },
    tails: { cacheBytesMax: Math.floor(tailCacheBytes / threads), pollMs: tails.pollMs },
  };
  const runner = new LaneThreads(threads, setup, report);
  tails.forwardTo(runner);
  return runner;
}

@Module({
  imports: [
    PostgresModule,
    ClockModule,
    TelemetryModule,
    EgressModule,
    EventLogModule,
    HttpModule,
    TenancyModule,
    TopicsModule,
    ConsumersModule,
  ],
  controllers: [DeliveryController],
  providers: [
    { provide: LaneStore, useClass: PostgresLanes },
    PostgresLaneKeeper,
    {
      provide: Membership,
      inject: [LaneStore, Storage, DELIVERY_SETTINGS],
      useFactory: (store: LaneStore, storage: Storage, { leaseTtlMs }: Settings['delivery']) =>
        new Membership(store, { ttlMs: leaseTtlMs, alone: !storage.shared }),
    },
    {
      provide: DeliveryEngine,
      inject: [LaneStore, ConsumerCatalog, TopicCatalog, TenantGates, Membership, LaneRunner, ENGINE_OPTIONS],
      useFactory: (...parts: ConstructorParameters<typeof DeliveryEngine>) => new DeliveryEngine(...parts),
    },
    {
      provide: ENGINE_OPTIONS,
      inject: [DeliveryReport, DELIVERY_SETTINGS],
      useFactory: (report: DeliveryReport, { checkpointIntervalMs }: Settings['delivery']): EngineOptions => ({
        checkpointIntervalMs,
        onError: report.engineFailed.bind(report),
        onUnreadable: report.secretsUnreadable.bind(report),
      }),
    },
    {
      provide: LaneRunner,
      inject: [LANE_TOOLS, DeliveryReport, Storage, DELIVERY_SETTINGS, STORAGE_SETTINGS],
      useFactory: openRunner,
    },
    {
      provide: LANE_TOOLS,
      inject: [LogReader, Tails, Egress, Clock, WallClock, DeliveryReport],
      useFactory: (
        reader: LogReader,
        tails: Tails,
        { sender }: Egress,
        clock: Clock,
        wallClock: WallClock,
        report: DeliveryReport,
      ): LaneTools => ({
        reader,
        tails,
        sender,
        clock,
        wallClock,
        random: Math.random,
        report,
      }),
    },
    ...METRICS,
    DeliveryReport,
    DeliveryGauges,
    DeliveryWorker,
    DeliverySagas,
    ReviewLanesHandler,
    GetConsumerStatusHandler,
    SendTestDeliveryHandler,
  ],
})
export class DeliveryModule implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private started = false;

  constructor(
    private readonly worker: DeliveryWorker,
    private readonly gauges: DeliveryGauges,
    @Inject(ROLES) private readonly roles: Settings['roles'],
    private readonly runner: LaneRunner,
    private readonly lanes: ConsumerLanes,
    private readonly keeper: PostgresLaneKeeper,
  ) {}

  /** Also on instances that deliver nothing: they take changes of consumers, too. */
  onModuleInit(): void {
    this.lanes.register(this.keeper);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.roles.includes('worker')) return;
    this.started = true;
    this.gauges.publish();
    await this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (!this.started) return;
    await this.worker.close().finally(() => this.runner.close());
  }
}
