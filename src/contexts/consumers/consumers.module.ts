import { Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { CryptoModule } from '../../platform/crypto/crypto.module.js';
import { EgressModule } from '../../platform/egress/egress.module.js';
import { EventLogModule } from '../../platform/event-log/event-log.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { DurableSubscriptions } from '../../platform/event-log/index.js';
import { AuthzModule, ResourceVisibility } from '../authz/index.js';
import { NamespaceContents, TenancyModule } from '../tenancy/index.js';
import { TopicsModule } from '../topics/index.js';
import { ConsumersController } from './adapters/consumers.controller.js';
import { PostgresConsumers } from './adapters/postgres-consumers.js';
import { PostgresRunningConsumers } from './adapters/postgres-running-consumers.js';
import { ChangeConsumerHandler } from './application/change-consumer.js';
import { CONSUMER_HANDLERS } from './application/consumers.js';
import { ConsumerDefaults } from './application/consumer-defaults.js';
import { CONSUMER_SUBSCRIPTIONS, ConsumersSagas } from './application/consumers.sagas.js';
import { ConsumerRights } from './application/consumer-rights.js';
import { ConsumerLanes } from './application/consumer-lanes.js';
import { ConsumerFollowers } from './application/consumer-followers.js';
import { NamespaceConsumers } from './application/namespace-consumers.js';
import { ConsumerCatalog, RunningConsumers } from './application/ports.js';
import { RecheckConsumersHandler } from './application/recheck-consumers.js';
import { DropDeletedTopicHandler } from './application/drop-deleted-topic.js';
import { RegisterConsumerHandler } from './application/register-consumer.js';
import { consumerNotFound } from './domain/consumer.js';
import { Subscriptions } from './application/subscriptions.js';
import { WithdrawRights } from './application/withdraw-rights.js';

@Module({
  imports: [
    PostgresModule,
    CryptoModule,
    EgressModule,
    EventLogModule,
    HttpModule,
    TenancyModule,
    AuthzModule,
    TopicsModule,
  ],
  controllers: [ConsumersController],
  providers: [
    { provide: ConsumerCatalog, useClass: PostgresConsumers },
    { provide: RunningConsumers, useClass: PostgresRunningConsumers },
    Subscriptions,
    ConsumerRights,
    WithdrawRights,
    ConsumersSagas,
    RecheckConsumersHandler,
    DropDeletedTopicHandler,
    NamespaceConsumers,
    ConsumerFollowers,
    ConsumerLanes,
    ConsumerDefaults,
    RegisterConsumerHandler,
    ChangeConsumerHandler,
    ...CONSUMER_HANDLERS,
  ],
  exports: [ConsumerCatalog, ConsumerFollowers, ConsumerLanes],
})
export class ConsumersModule implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly contents: NamespaceContents,
    private readonly hidden: ResourceVisibility,
    private readonly consumers: NamespaceConsumers,
    private readonly subscriptions: DurableSubscriptions,
  ) {}

  onModuleInit(): void {
    this.contents.register(this.consumers);
    this.hidden.register('consumers', (consumerId) => consumerNotFound({ consumerId }));
  }

  onApplicationBootstrap(): void {
    for (const subscription of CONSUMER_SUBSCRIPTIONS) this.subscriptions.start(subscription);
  }
}
