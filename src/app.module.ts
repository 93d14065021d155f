import { Module, type DynamicModule } from '@nestjs/common';
import { AuditModule } from './contexts/audit/index.js';
import { AuthzModule } from './contexts/authz/index.js';
import { ConsumersModule } from './contexts/consumers/index.js';
import { DeliveryModule } from './contexts/delivery/index.js';
import { IdentityModule } from './contexts/identity/index.js';
import { OperationsModule } from './contexts/operations/index.js';
import { TenancyModule } from './contexts/tenancy/index.js';
import { TopicsModule } from './contexts/topics/index.js';
import { cqrsModule } from './platform/sagas/index.js';
import { SagaFailuresModule } from './platform/sagas/saga-failures.module.js';
import { StartupModule, type StartupParts } from './platform/startup.module.js';

/** The contexts, each importing only earlier ones. */
@Module({})
export class AppModule {
  static with(parts: StartupParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        StartupModule.with(parts),
        cqrsModule([SagaFailuresModule]),
        TenancyModule,
        IdentityModule,
        AuthzModule,
        TopicsModule,
        ConsumersModule,
        DeliveryModule,
        AuditModule,
        OperationsModule,
      ],
    };
  }
}
