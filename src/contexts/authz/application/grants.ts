import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { newId, SYSTEM_TENANT } from '../../../kernel/ids.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { authzError } from '../domain/authz-errors.js';
import { checkConstraints, type Constraints } from '../domain/constraints.js';
import { createGrant, grantNotFound, revokeGrant, type GrantSettings } from '../domain/grant.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { Escalation } from './escalation.js';
import { GrantCatalog, type GrantView, type PrincipalName } from './ports.js';
import { expandAll } from './roles.js';
import { TenantLifeOf } from './tenant-life.js';

export class CreateGrant extends Command<GrantView> {
  constructor(
    readonly tenantId: string,
    readonly settings: GrantSettings,
    readonly by: Actor,
    readonly giver: Principal,
  ) {
    super();
  }
}

@CommandHandler(CreateGrant)
export class CreateGrantHandler implements ICommandHandler<CreateGrant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly grants: GrantCatalog,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ tenantId, settings, by, giver }: CreateGrant): Promise<GrantView> {
    const resource = parsePattern(settings.resource);
    if (tenantId !== SYSTEM_TENANT && (resource.segments[0] !== 'tenants' || resource.segments[1] !== tenantId)) {
      throw authzError('grant-invalid', 'A grant of a tenant is for what is in the tenant.', {
        errors: [{ pointer: '/resource', detail: `must begin with tenants/${tenantId}` }],
      });
    }
    const actions = expandAll(settings.actions);
    const constraints = settings.constraints as Constraints | null;
    if (constraints) checkConstraints(constraints, settings.effect, actions);
    const ref = { tenantId, grantId: newId('grt'), tenantUid: await this.lives.uidOf(tenantId) };
    const written = { ...settings, actions, resource: resource.text };
    const repository = this.escalation.bounding(this.grants, tenantId, giver, aboutOne(settings.principal));
    await this.aggregates.change(repository, ref, by, () => createGrant(ref, written));
    return (await this.grants.find(ref))!;
  }
}

export class RevokeGrant extends Command<void> {
  constructor(
    readonly grant: { readonly tenantId: string; readonly grantId: string },
    readonly by: Actor,
    readonly giver: Principal,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(RevokeGrant)
export class RevokeGrantHandler implements ICommandHandler<RevokeGrant> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly grants: GrantCatalog,
    private readonly lives: TenantLifeOf,
    private readonly escalation: Escalation,
  ) {}

  async execute({ grant, by, giver, expectedVersion }: RevokeGrant): Promise<void> {
    const ref = { ...grant, tenantUid: await this.lives.uidOf(grant.tenantId) };
    const found = await this.grants.find(ref);
    if (!found) throw grantNotFound(ref);
    const repository = this.escalation.bounding(this.grants, ref.tenantId, giver, aboutOne(found.principal));
    await this.aggregates.change(repository, ref, by, (state) => revokeGrant(state, ref), { expectedVersion });
  }
}

/** Grants to roles and groups concern all who hold them. */
const aboutOne = ({ kind, id }: GrantSettings['principal']): PrincipalName | undefined =>
  kind === 'user' || kind === 'apiKey' ? { kind, id } : undefined;
