import { Injectable, type OnModuleInit } from '@nestjs/common';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { UserLives, type UserWitness } from '../../identity/index.js';
import { TenantLives, type NamespaceRef, type TenantWitness } from '../../tenancy/index.js';
import { requireActiveHolder } from '../domain/last-administrator.js';
import { MemberCatalog } from './ports.js';

/** Removes memberships and permissions with the user, the tenant or the namespace that they are about, in the transaction that deletes it. */
@Injectable()
export class MembershipRemoval implements UserWitness, Pick<TenantWitness, 'ended' | 'namespaceEnded'>, OnModuleInit {
  constructor(
    private readonly members: MemberCatalog,
    private readonly tenants: TenantLives,
    private readonly users: UserLives,
  ) {}

  onModuleInit(): void {
    this.tenants.register(this);
    this.users.register(this);
  }

  /** An active administrator of the system must remain; a user who is deleted must also leave an active owner in each of their tenants. */
  async checkLeaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void> {
    for (const { tenantId, othersActive } of await this.members.keptBy(sql, userId))
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
