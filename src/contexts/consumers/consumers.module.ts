import { Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { DurableSubscriptions } from '../../platform/event-log/index.js';
import { NamespaceContents, TenancyModule } from '../tenancy/index.js';
import { TopicsModule } from '../topics/index.js';
import { ConsumersController } from './adapters/consumers.controller.js';
import { PostgresConsumers } from './adapters/postgres-consumers.js';
import { ChangeConsumerHandler } from './application/change-consumer.js';
import { CONSUMER_HANDLERS } from './application/consumers.js';
import { ConsumerCatalog } from './application/ports.js';
import { OnNamespaceDeleted, OnTopicDeleted } from './application/reactions.js';
import { RegisterConsumerHandler } from './application/register-consumer.js';
import { Subscriptions } from './application/subscriptions.js';

@Module({
  imports: [TenancyModule, TopicsModule],
  controllers: [ConsumersController],
  providers: [
    { provide: ConsumerCatalog, useClass: PostgresConsumers },
    Subscriptions,
    OnTopicDeleted,
    OnNamespaceDeleted,
    RegisterConsumerHandler,
    ChangeConsumerHandler,
    ...CONSUMER_HANDLERS,
  ],
  exports: [ConsumerCatalog],
})
export class ConsumersModule implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly contents: NamespaceContents,
    private readonly consumers: ConsumerCatalog,
    private readonly subscriptions: DurableSubscriptions,
    private readonly onTopicDeleted: OnTopicDeleted,
    private readonly onNamespaceDeleted: OnNamespaceDeleted,
  ) {}

  onModuleInit(): void {
    this.contents.register(async (namespace) => (await this.consumers.list(namespace, '', 1)).length > 0);
  }

  onApplicationBootstrap(): void {
    this.subscriptions.start(this.onTopicDeleted);
    this.subscriptions.start(this.onNamespaceDeleted);
  }
}
