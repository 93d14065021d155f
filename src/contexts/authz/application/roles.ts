import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { expandActions } from '../../../kernel/actions.js';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { newId } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { authzError } from '../domain/authz-errors.js';
import { changeRole, createRole, deleteRole, type RoleSettings, type RoleState } from '../domain/role.js';
import { Escalation } from './escalation.js';
import { RoleCatalog, type RoleView } from './ports.js';
import { TenantLifeOf } from './tenant-life.js';

export type RoleChange =
  | { readonly kind: 'create'; readonly settings: RoleSettings }
  | { readonly kind: 'change'; readonly settings: Partial<RoleSettings> }
  | { readonly kind: 'delete' };

export class ChangeRole extends Command<RoleView | undefined> {
  constructor(
    readonly role: { readonly tenantId: string; readonly roleId?: string },
    readonly change: RoleChange,
    readonly by: Actor,
    readonly giver: Principal,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(ChangeRole)
export class ChangeRoleHandler implements ICommandHandler<ChangeRole> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly roles: RoleCatalog,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ role, change, by, giver, expectedVersion }: ChangeRole): Promise<RoleView | undefined> {
    const { tenantId, roleId = newId('rol') } = role;
    const ref = { tenantId, roleId, tenantUid: await this.lives.uidOf(tenantId) };
    const settings = change.kind === 'delete' ? {} : withActions(change.settings);
    const decide = (state: RoleState) => {
      if (change.kind === 'delete') return deleteRole(state, ref);
      return change.kind === 'create'
        ? createRole(state, ref, settings as RoleSettings)
        : changeRole(state, ref, settings);
    };
    const repository = this.escalation.bounding(this.roles, tenantId, giver);
    await this.aggregates.change(repository, ref, by, decide, { expectedVersion });
    return this.roles.find(ref);
  }
}

/** Patterns written out, so that actions that are invented later do not slip in. */
export function expandAll(patterns: readonly string[]): string[] {
  const unknown = patterns.filter((pattern) => expandActions(pattern).length === 0);
  if (unknown.length > 0)
    throw authzError('role-invalid', `There is no action "${unknown[0]}".`, {
      errors: [{ pointer: '/actions', detail: `"${unknown[0]}" is no action` }],
    });
  return [...new Set(patterns.flatMap(expandActions))];
}

function withActions<S extends Partial<RoleSettings>>(settings: S): S {
  return settings.actions ? { ...settings, actions: expandAll(settings.actions) } : settings;
}
