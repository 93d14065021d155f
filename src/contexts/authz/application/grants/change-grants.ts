import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { newId, SYSTEM_TENANT } from '../../../../kernel/ids.js';
import { authzError } from '../../domain/authz-errors.js';
import { checkConstraints, type Constraints } from '../../domain/constraints.js';
import { createGrant, revokeGrant, type GrantRef, type GrantSettings } from '../../domain/grant.js';
import { parsePattern } from '../../domain/resource-pattern.js';
import { expandAll } from '../expand-actions.js';
import { PermissionChanges, type Caller } from '../permission-changes.js';
import { GrantCatalog, type GrantView, type Named, type PrincipalName } from '../ports.js';

export class CreateGrant extends Command<GrantView> {
  constructor(
    readonly tenantId: string,
    readonly settings: GrantSettings,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(CreateGrant)
export class CreateGrantHandler implements ICommandHandler<CreateGrant> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly grants: GrantCatalog,
  ) {}

  async execute({ tenantId, settings, caller }: CreateGrant): Promise<GrantView> {
    const resource = parsePattern(settings.resource);
    if (tenantId !== SYSTEM_TENANT && (resource.segments[0] !== 'tenants' || resource.segments[1] !== tenantId)) {
      throw authzError('grant-invalid', 'A grant of a tenant is for what is in the tenant.', {
        errors: [{ pointer: '/resource', detail: `must begin with tenants/${tenantId}` }],
      });
    }
    const actions = expandAll(settings.actions);
    const constraints = settings.constraints as Constraints | null;
    if (constraints) checkConstraints(constraints, settings.effect, actions);
    const grant = { tenantId, grantId: newId('grt') };
    const written = { ...settings, actions, resource: resource.text };
    const { version, recordedAt } = await this.changes.change(
      this.grants,
      grant,
      caller,
      (_, ref) => createGrant(ref, written),
      { about: aboutOne(settings.principal) },
    );
    return { ...written, tenantId, grantId: grant.grantId, version, createdAt: recordedAt };
  }
}

export class RevokeGrant extends Command<void> {
  constructor(
    readonly grant: Named<GrantRef>,
    readonly caller: Caller,
  ) {
    super();
  }
}

@CommandHandler(RevokeGrant)
export class RevokeGrantHandler implements ICommandHandler<RevokeGrant> {
  constructor(
    private readonly changes: PermissionChanges,
    private readonly grants: GrantCatalog,
  ) {}

  async execute({ grant, caller }: RevokeGrant): Promise<void> {
    const { principal } = await this.grants.get(grant);
    await this.changes.change(this.grants, grant, caller, (state, ref) => revokeGrant(state, ref), {
      about: aboutOne(principal),
    });
  }
}

/** Grants to roles and groups affect all their holders. */
const aboutOne = ({ kind, id }: GrantSettings['principal']): PrincipalName | undefined =>
  kind === 'user' || kind === 'apiKey' ? { kind, id } : undefined;
