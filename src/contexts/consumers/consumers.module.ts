import { Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { DurableSubscriptions } from '../../platform/event-log/index.js';
import { AuthzModule, HiddenResources } from '../authz/index.js';
import { NamespaceContents, TenancyModule } from '../tenancy/index.js';
import { TopicsModule } from '../topics/index.js';
import { ConsumersController } from './adapters/consumers.controller.js';
import { PostgresConsumers } from './adapters/postgres-consumers.js';
import { ChangeConsumerHandler } from './application/change-consumer.js';
import { CONSUMER_HANDLERS } from './application/consumers.js';
import { ConsumerDefaults } from './application/consumer-defaults.js';
import { ConsumerFollowers } from './application/consumer-followers.js';
import { NamespaceConsumers } from './application/namespace-consumers.js';
import { ConsumerCatalog } from './application/ports.js';
import { OnTopicDeleted } from './application/on-topic-deleted.js';
import { RegisterConsumerHandler } from './application/register-consumer.js';
import { consumerNotFound } from './domain/consumer.js';
import { Subscriptions } from './application/subscriptions.js';

@Module({
  imports: [TenancyModule, AuthzModule, TopicsModule],
  controllers: [ConsumersController],
  providers: [
    { provide: ConsumerCatalog, useClass: PostgresConsumers },
    Subscriptions,
    OnTopicDeleted,
    NamespaceConsumers,
    ConsumerFollowers,
    ConsumerDefaults,
    RegisterConsumerHandler,
    ChangeConsumerHandler,
    ...CONSUMER_HANDLERS,
  ],
  exports: [ConsumerCatalog, ConsumerFollowers],
})
export class ConsumersModule implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly contents: NamespaceContents,
    private readonly hidden: HiddenResources,
    private readonly consumers: NamespaceConsumers,
    private readonly subscriptions: DurableSubscriptions,
    private readonly onTopicDeleted: OnTopicDeleted,
  ) {}

  onModuleInit(): void {
    this.contents.register(this.consumers);
    this.hidden.register('consumers', (consumerId) => consumerNotFound({ tenantId: '', namespaceId: '', consumerId }));
  }

  onApplicationBootstrap(): void {
    this.subscriptions.start(this.onTopicDeleted);
  }
}
