import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../kernel/aggregate.js';
import { Clock } from '../../kernel/clock.js';
import { DELIVERY_SETTINGS, ROLES, type Settings } from '../../platform/config/index.js';
import { Egress } from '../../platform/egress/index.js';
import { LogReader, ManagementWatch, Tails } from '../../platform/event-log/index.js';
import { Storage } from '../../platform/postgres/storage.js';
import { ConsumerCatalog, ConsumersModule } from '../consumers/index.js';
import { TenancyModule, TenantGates } from '../tenancy/index.js';
import { TopicCatalog, TopicsModule } from '../topics/index.js';
import { DeliveryController } from './adapters/delivery.controller.js';
import { PostgresLanes } from './adapters/postgres-lanes.js';
import { GetConsumerStatusHandler } from './application/consumer-status.js';
import { DeliveryEngine } from './application/delivery-engine.js';
import { DeliveryReport } from './application/delivery-report.js';
import { DeliveryWorker } from './application/delivery-worker.js';
import type { LaneTools } from './application/lane.js';
import { Membership } from './application/membership.js';
import { LaneStore } from './application/ports.js';
import { SendTestDeliveryHandler } from './application/test-delivery.js';

const LANE_TOOLS = Symbol('lane tools');

/** Events that decide whether the deliveries of a tenant rest. */
const OPENS_OR_CLOSES = new Set(['tenant.suspended', 'tenant.activated', 'tenant.deletion-started']);

@Module({
  imports: [TenancyModule, TopicsModule, ConsumersModule],
  controllers: [DeliveryController],
  providers: [
    { provide: LaneStore, useClass: PostgresLanes },
    {
      provide: Membership,
      inject: [LaneStore, Storage, DELIVERY_SETTINGS],
      useFactory: (store: LaneStore, storage: Storage, { leaseTtlMs }: Settings['delivery']) =>
        new Membership(store, { ttlMs: leaseTtlMs, alone: !storage.shared }),
    },
    {
      provide: DeliveryEngine,
      inject: [LaneStore, ConsumerCatalog, TopicCatalog, TenantGates, Membership, LANE_TOOLS, DELIVERY_SETTINGS],
      useFactory: (
        store: LaneStore,
        consumers: ConsumerCatalog,
        topics: TopicCatalog,
        tenants: TenantGates,
        membership: Membership,
        tools: LaneTools & { report: DeliveryReport },
        { checkpointIntervalMs }: Settings['delivery'],
      ) => {
        const onError = (error: unknown, what: string): void => tools.report.engineFailed(error, what);
        const onUnreadable = tools.report.secretsUnreadable.bind(tools.report);
        return new DeliveryEngine(store, consumers, topics, tenants, membership, tools, {
          checkpointIntervalMs,
          onError,
          onUnreadable,
        });
      },
    },
    {
      provide: LANE_TOOLS,
      inject: [LogReader, Tails, Egress, Clock, DeliveryReport],
      useFactory: (
        reader: LogReader,
        tails: Tails,
        { sender }: Egress,
        clock: Clock,
        report: DeliveryReport,
      ): LaneTools => ({
        reader,
        tails,
        sender,
        clock,
        random: Math.random,
        report,
      }),
    },
    DeliveryReport,
    DeliveryWorker,
    GetConsumerStatusHandler,
    SendTestDeliveryHandler,
  ],
})
export class DeliveryModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private started = false;

  constructor(
    private readonly worker: DeliveryWorker,
    @Inject(ROLES) private readonly roles: Settings['roles'],
    engine: DeliveryEngine,
    watch: ManagementWatch,
  ) {
    watch.on(MANAGEMENT_TOPICS.tenants, ({ type, stream }) => {
      if (this.started && OPENS_OR_CLOSES.has(type)) engine.tenantChanged(stream!);
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.roles.includes('worker')) return;
    this.started = true;
    await this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.started) await this.worker.close();
  }
}
