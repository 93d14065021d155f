import { Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { AuthzModule, HiddenResources } from '../authz/index.js';
import { NamespaceContents, TenancyModule } from '../tenancy/index.js';
import { TopicsModule } from '../topics/index.js';
import { ConsumersController } from './adapters/consumers.controller.js';
import { PostgresConsumers } from './adapters/postgres-consumers.js';
import { PostgresFounders, PostgresRunningConsumers } from './adapters/postgres-running-consumers.js';
import { ChangeConsumerHandler } from './application/change-consumer.js';
import { CONSUMER_HANDLERS } from './application/consumers.js';
import { ConsumerDefaults } from './application/consumer-defaults.js';
import { ConsumerReactions } from './application/consumer-reactions.js';
import { ConsumerRights } from './application/consumer-rights.js';
import { ConsumerFollowers } from './application/consumer-followers.js';
import { Founders } from './application/founders.js';
import { NamespaceConsumers } from './application/namespace-consumers.js';
import { ConsumerCatalog, FounderStore, RunningConsumers } from './application/ports.js';
import { OnConsumerChanged, OnPermissionsChanged, OnUserGone } from './application/on-rights-changed.js';
import { OnTopicDeleted } from './application/on-topic-deleted.js';
import { RegisterConsumerHandler } from './application/register-consumer.js';
import { consumerNotFound } from './domain/consumer.js';
import { Subscriptions } from './application/subscriptions.js';
import { WithdrawRights } from './application/withdraw-rights.js';

@Module({
  imports: [TenancyModule, AuthzModule, TopicsModule],
  controllers: [ConsumersController],
  providers: [
    { provide: ConsumerCatalog, useClass: PostgresConsumers },
    { provide: RunningConsumers, useClass: PostgresRunningConsumers },
    { provide: FounderStore, useClass: PostgresFounders },
    Subscriptions,
    ConsumerRights,
    WithdrawRights,
    Founders,
    OnPermissionsChanged,
    OnUserGone,
    OnConsumerChanged,
    OnTopicDeleted,
    ConsumerReactions,
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
    private readonly reactions: ConsumerReactions,
  ) {}

  onModuleInit(): void {
    this.contents.register(this.consumers);
    this.hidden.register('consumers', (consumerId) => consumerNotFound({ tenantId: '', namespaceId: '', consumerId }));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.reactions.start();
  }
}
