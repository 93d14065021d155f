import { Injectable, type OnModuleInit } from '@nestjs/common';
import { systemActor, type Actor } from '../../../kernel/aggregate.js';
import { isCode } from '../../../kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { UserAccounts } from '../../identity/index.js';
import {
  SYSTEM_TENANT_UID,
  tenancyError,
  TenantLifecycle,
  type TenantLife,
  type TenantLifecycleListener,
} from '../../tenancy/index.js';
import { addRoles, type MemberRef, type RoleAssignment } from '../domain/member.js';
import { topRole } from '../domain/predefined-roles.js';
import { MemberCatalog } from './ports.js';

/** Gives each tenant its first owner, and the system its first administrator. */
@Injectable()
export class InitialRoles implements Pick<TenantLifecycleListener, 'requireOwner' | 'began'>, OnModuleInit {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly members: MemberCatalog,
    private readonly users: UserAccounts,
    private readonly tenants: TenantLifecycle,
  ) {}

  onModuleInit(): void {
    this.tenants.register(this);
  }

  async requireOwner(userId: string): Promise<void> {
    if (await this.users.isActive(userId)) return;
    throw tenancyError('tenant-owner-invalid', `There is no active user "${userId}".`, {
      errors: [{ pointer: '/owner', detail: 'must be the id of an active user' }],
    });
  }

  /** Once: later there is always an owner. */
  async began({ tenantId, tenantUid }: TenantLife, owners: readonly string[], by: Actor): Promise<void> {
    const role: RoleAssignment = { roleId: topRole(tenantId), scope: '' };
    if (await this.members.anyHolder(tenantId, role.roleId)) return;
    for (const userId of owners) if (await this.give(role, { tenantId, tenantUid, userId }, by)) return;
  }

  /** False: the user is gone, perhaps at this very moment. */
  private async give(role: RoleAssignment, ref: MemberRef, by: Actor): Promise<boolean> {
    try {
      await this.aggregates.change(this.members, ref, by, (state) => addRoles(state, ref, [role]));
      return true;
    } catch (error) {
      if (isCode(error, 'member-not-found')) return false;
      throw error;
    }
  }

  /** At the start: where the system has no administrator, the first user becomes one. */
  async ensureAdministrator(): Promise<void> {
    if (await this.members.anyHolder(SYSTEM_TENANT, topRole(SYSTEM_TENANT))) return;
    const first = await this.users.first();
    if (first)
      await this.began(
        { tenantId: SYSTEM_TENANT, tenantUid: SYSTEM_TENANT_UID },
        [first.userId],
        systemActor('first-start'),
      );
  }
}
