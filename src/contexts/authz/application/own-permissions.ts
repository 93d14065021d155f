import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/access.js';
import type { Rule } from '../domain/rule.js';
import { Authorizer } from './authorizer.js';
import { MemberCatalog, type MemberView } from './ports.js';

const MEMBERSHIPS_MAX = 100;
const RULES_MAX = 1_000;

export interface OwnPermissions {
  readonly memberships: readonly MemberView[];
  readonly rules: readonly Rule[];
  /** Of an API key: what was granted and denied to the key itself. */
  readonly keyRules: readonly Rule[];
  /** False: there is more; a query for one tenant shows it. */
  readonly complete: boolean;
}

/** Memberships and permissions of a principal: in the system and where they are a member, or in one tenant. */
export class GetOwnPermissions extends Query<OwnPermissions> {
  constructor(
    readonly principal: Principal,
    readonly only: string | undefined,
  ) {
    super();
  }
}

@QueryHandler(GetOwnPermissions)
export class GetOwnPermissionsHandler implements IQueryHandler<GetOwnPermissions> {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly members: MemberCatalog,
  ) {}

  /** At most 100 memberships and 1,000 rules, whatever there is. */
  async execute({ principal, only }: GetOwnPermissions): Promise<OwnPermissions> {
    const { userId } = principal;
    const found =
      only === undefined
        ? await this.members.ofUser(userId, MEMBERSHIPS_MAX + 1)
        : [await this.members.find({ tenantId: only, userId })].filter((member) => member !== undefined);
    const memberships = found.slice(0, MEMBERSHIPS_MAX).filter(({ tenantId }) => this.reaches(principal, tenantId));
    const tenants = only === undefined ? memberships.map(({ tenantId }) => tenantId) : [only];
    const [rules, keyRules] = [new Map<string, Rule>(), new Map<string, Rule>()];
    let complete = found.length <= MEMBERSHIPS_MAX;
    // One after the other: what is not in memory is two queries a tenant.
    for (const tenantId of new Set([SYSTEM_TENANT, ...tenants])) {
      if (!this.reaches(principal, tenantId)) continue;
      const subject = await this.authorizer.subject(tenantId, principal);
      const fits =
        add(rules, subject.withinKey(subject.policy.rules)) && add(keyRules, subject.key?.policy.rules ?? []);
      if (fits) continue;
      complete = false;
      break;
    }
    return { memberships, rules: [...rules.values()], keyRules: [...keyRules.values()], complete };
  }

  private reaches(principal: Principal, tenantId: string): boolean {
    return tenantId === SYSTEM_TENANT || this.authorizer.ceilingOf(principal).sees(`tenants/${tenantId}`);
  }
}

/** Rules of the system come again with each tenant. False: not all of them fit. */
function add(all: Map<string, Rule>, rules: readonly Rule[]): boolean {
  for (const rule of rules) {
    const { via, effect, actions, resource } = rule;
    const name = JSON.stringify([via, effect, actions, resource.text]);
    if (all.size >= RULES_MAX && !all.has(name)) return false;
    all.set(name, rule);
  }
  return true;
}
