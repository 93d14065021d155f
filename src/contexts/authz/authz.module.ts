import { Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PostgresModule } from '../../platform/postgres/postgres.module.js';
import { ClockModule } from '../../platform/clock/clock.module.js';
import { AuditTrailModule } from '../../platform/audit/audit-trail.module.js';
import { EventLogModule } from '../../platform/event-log/event-log.module.js';
import { HttpModule } from '../../platform/http/http.module.js';
import { IdentityModule } from '../identity/index.js';
import { namespaceNotFound, TenancyModule, tenantNotFound } from '../tenancy/index.js';
import { AccessGuard } from './adapters/access.guard.js';
import { AuthzController } from './adapters/authz.controller.js';
import { DirectRoutes } from './adapters/direct-routes.js';
import { GrantsController } from './adapters/grants.controller.js';
import { GroupPartsController } from './adapters/group-parts.controller.js';
import { GroupsController } from './adapters/groups.controller.js';
import { MembersController } from './adapters/members.controller.js';
import { OwnProfileController } from './adapters/own-profile.controller.js';
import { PostgresGrants } from './adapters/postgres-grants.js';
import { PostgresGroups } from './adapters/postgres-groups.js';
import { PostgresMembers } from './adapters/postgres-members.js';
import { PostgresRights } from './adapters/postgres-rights.js';
import { PostgresRoles } from './adapters/postgres-roles.js';
import { PostgresRules } from './adapters/postgres-rules.js';
import { RolesController } from './adapters/roles.controller.js';
import { SystemAccess } from './adapters/system-access.js';
import { AuthzSagas } from './application/authz.sagas.js';
import { Authorizer } from './application/authorizer.js';
import { Escalation } from './application/escalation.js';
import { AUTHZ_HANDLERS } from './application/handlers.js';
import { ResourceVisibility } from './application/resource-visibility.js';
import { CredentialEscalation } from './application/credential-escalation.js';
import { InitialRoles } from './application/initial-roles.js';
import { MembershipRemoval } from './application/membership-removal.js';
import { PermissionChanges } from './application/permission-changes.js';
import { PermissionRates } from './application/permission-rates.js';
import { Policies } from './application/policies.js';
import {
  GrantCatalog,
  GroupCatalog,
  MemberCatalog,
  RightsCatalog,
  RoleCatalog,
  RuleStore,
} from './application/ports.js';
import { ResourceRightsRemoval } from './application/resource-rights-removal.js';
import { StandingRights } from './application/standing-rights.js';
import { TenantUids } from './application/tenant-uids.js';

@Module({
  imports: [PostgresModule, ClockModule, AuditTrailModule, EventLogModule, HttpModule, TenancyModule, IdentityModule],
  controllers: [
    OwnProfileController,
    MembersController,
    RolesController,
    GroupsController,
    GroupPartsController,
    GrantsController,
    AuthzController,
  ],
  providers: [
    AccessGuard,
    { provide: APP_GUARD, useExisting: AccessGuard },
    DirectRoutes,
    SystemAccess,
    { provide: MemberCatalog, useClass: PostgresMembers },
    { provide: RoleCatalog, useClass: PostgresRoles },
    { provide: GroupCatalog, useClass: PostgresGroups },
    { provide: GrantCatalog, useClass: PostgresGrants },
    { provide: RightsCatalog, useClass: PostgresRights },
    { provide: RuleStore, useClass: PostgresRules },
    Policies,
    AuthzSagas,
    PermissionRates,
    ResourceVisibility,
    Authorizer,
    Escalation,
    CredentialEscalation,
    TenantUids,
    InitialRoles,
    MembershipRemoval,
    ResourceRightsRemoval,
    StandingRights,
    PermissionChanges,
    ...AUTHZ_HANDLERS,
  ],
  exports: [ResourceVisibility, InitialRoles, ResourceRightsRemoval, StandingRights, SystemAccess],
})
export class AuthzModule implements OnModuleInit {
  constructor(private readonly hidden: ResourceVisibility) {}

  onModuleInit(): void {
    this.hidden.register('tenants', tenantNotFound);
    this.hidden.register('namespaces', (namespaceId) => namespaceNotFound({ namespaceId }));
  }
}
