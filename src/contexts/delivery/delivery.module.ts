import { Inject, Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ROLES, type Settings } from '../../platform/config/index.js';
import { ConsumersModule } from '../consumers/index.js';
import { TopicsModule } from '../topics/index.js';
import { DeliveryController } from './adapters/delivery.controller.js';
import { PostgresLanes } from './adapters/postgres-lanes.js';
import { GetConsumerStatusHandler } from './application/consumer-status.js';
import { DeliveryWorker } from './application/delivery-worker.js';
import { LaneStore } from './application/ports.js';
import { SendTestDeliveryHandler } from './application/test-delivery.js';

@Module({
  imports: [TopicsModule, ConsumersModule],
  controllers: [DeliveryController],
  providers: [{ provide: LaneStore, useClass: PostgresLanes }, DeliveryWorker, GetConsumerStatusHandler, SendTestDeliveryHandler],
})
export class DeliveryModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private started = false;

  constructor(
    private readonly worker: DeliveryWorker,
    @Inject(ROLES) private readonly roles: Settings['roles'],
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.roles.includes('worker')) return;
    this.started = true;
    await this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.started) await this.worker.close();
  }
}
