import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { UserLifecycle, type UserLifecycleListener } from '../../identity/index.js';
import { TenantLifecycle, type NamespaceRef, type TenantLifecycleListener } from '../../tenancy/index.js';
import { requireActiveHolder } from '../domain/last-administrator.js';
import { MemberCatalog } from './ports.js';

/** Removes memberships and permissions with the user, the tenant or the namespace that they are about, in the transaction that deletes it. */
@Injectable()
export class MembershipRemoval
  implements UserLifecycleListener, Pick<TenantLifecycleListener, 'ended' | 'namespaceEnded'>, OnModuleInit
{
  constructor(
    private readonly members: MemberCatalog,
    private readonly tenants: TenantLifecycle,
    private readonly users: UserLifecycle,
  ) {}

  onModuleInit(): void {
    this.tenants.register(this);
    this.users.register(this);
  }

  /** An active administrator of the system must remain; a user who is deleted must also leave an active owner in each of their tenants. */
  async checkLeaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void> {
    for (const { tenantId, othersActive } of await this.members.topRolesHeldBy(sql, userId))
      if (how === 'deleted' || tenantId === SYSTEM_TENANT) requireActiveHolder(tenantId, othersActive);
  }

  deleted(sql: Sql, userId: string): Promise<void> {
    return this.members.removeUser(sql, userId);
  }

  ended(sql: Sql, tenantId: string): Promise<void> {
    return this.members.removeTenant(sql, tenantId);
  }

  namespaceEnded(sql: Sql, { tenantId, namespaceId }: NamespaceRef): Promise<void> {
    return this.members.removeResource(sql, tenantId, `namespaces/${namespaceId}`);
  }
}
