import { Injectable, type OnModuleInit } from '@nestjs/common';
import { systemActor, type Actor } from '../../../kernel/aggregate.js';
import { isCode } from '../../../kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { UserAccounts, UserLives, type UserWitness } from '../../identity/index.js';
import {
  SYSTEM_LIFE,
  tenancyError,
  TenantGates,
  TenantLives,
  type NamespaceRef,
  type TenantLife,
  type TenantWitness,
} from '../../tenancy/index.js';
import { addRoles, type MemberRef, type RoleAssignment } from '../domain/member.js';
import { requireActiveHolder } from '../domain/last-administrator.js';
import { lastHolderRole } from '../domain/predefined-roles.js';
import { MemberCatalog } from './ports.js';

/** Which life of a tenant goes on. */
@Injectable()
export class TenantLifeOf {
  constructor(private readonly gates: TenantGates) {}

  async uidOf(tenantId: string): Promise<string> {
    const gate = await this.gates.of(tenantId);
    if (!gate) throw tenancyError('tenant-not-found', `There is no tenant "${tenantId}".`);
    return gate.tenantUid;
  }
}

/** Gives each tenant its first owner and the system its first administrator; takes away all that was permitted in a tenant that ends. */
@Injectable()
export class FirstHolders implements TenantWitness, UserWitness, OnModuleInit {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly members: MemberCatalog,
    private readonly users: UserAccounts,
    private readonly lives: TenantLives,
    private readonly userLives: UserLives,
  ) {}

  onModuleInit(): void {
    this.lives.register(this);
    this.userLives.register(this);
  }

  async requireOwner(userId: string): Promise<void> {
    if (await this.users.isActive(userId)) return;
    throw tenancyError('tenant-owner-invalid', `There is no active user "${userId}".`, {
      errors: [{ pointer: '/owner', detail: 'must be the id of an active user' }],
    });
  }

  /** Once: later there is always an owner. */
  async began({ tenantId, tenantUid }: TenantLife, owners: readonly string[], by: Actor): Promise<void> {
    const role: RoleAssignment = { roleId: lastHolderRole(tenantId), scope: '' };
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

  /** The last administrator of the system stays active; who is deleted leaves no tenant without an owner, and no trace of membership. */
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

  /** At the start: whoever was here first looks after the system, where nobody does. */
  async ensureAdministrator(): Promise<void> {
    if (await this.members.anyHolder(SYSTEM_TENANT, lastHolderRole(SYSTEM_TENANT))) return;
    const first = await this.users.first();
    if (first)
      await this.began({ tenantId: SYSTEM_TENANT, tenantUid: SYSTEM_LIFE }, [first.userId], systemActor('first-start'));
  }
}
