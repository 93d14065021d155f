import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Action } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/access.js';
import { ApiKeyDirectory } from '../../identity/index.js';
import { permissionDenied } from '../domain/authz-errors.js';
import type { RequestContext } from '../domain/constraints.js';
import type { Decision } from '../domain/decision.js';
import type { Closed } from '../domain/openness.js';
import type { Rule } from '../domain/rule.js';
import { toldIn, type ToldRule } from '../domain/told-rule.js';
import { Authorizer } from './authorizer.js';
import type { PrincipalName } from './ports.js';
import type { Subject } from './subject.js';

export interface Asked {
  readonly tenantId: string;
  readonly action: Action;
  /** A path without wildcards; empty: the system. */
  readonly resource: string;
  readonly context: RequestContext;
}

export interface Explanation {
  readonly allowed: boolean;
  readonly reason: Decision['reason'] | Closed | 'tenant-not-found';
  /** For some types of events only. */
  readonly limitedToTypes: boolean;
  /** So often only. */
  readonly rateLimited: boolean;
  /** Those that had a part in it, of the person and of the key. */
  readonly rules: readonly ToldRule[];
}

const NOTHING: Explanation = {
  allowed: false,
  reason: 'not-allowed',
  limitedToTypes: false,
  rateLimited: false,
  rules: [],
};

/** What a request would be answered, and why, without making it. `at`: when and from where it is asked. */
export class CheckPermission extends Query<Explanation> {
  constructor(
    readonly asking: Principal,
    readonly at: RequestContext,
    /** About whom; undefined: about who is asking. */
    readonly about: PrincipalName | undefined,
    readonly asked: Asked,
  ) {
    super();
  }
}

/**
 * The verdict is that of the guard. What is told of a tenant, also whether there is one and whether it is suspended, is told to who sees
 * something of it.
 */
@QueryHandler(CheckPermission)
export class CheckPermissionHandler implements IQueryHandler<CheckPermission> {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly keys: ApiKeyDirectory,
  ) {}

  async execute({ asking, at, about: named, asked }: CheckPermission): Promise<Explanation> {
    const about = !named || named.id === asking.id ? asking : await this.principalOf(named);
    if (about?.userId !== asking.userId) return this.toOthers(asking, at, about, asked);
    const context = { address: at.address, ...asked.context };
    return this.toWhomItConcerns(asking, about, { ...asked, context });
  }

  /** Undefined: there is no such key, or it has ended. */
  private async principalOf({ kind, id }: PrincipalName): Promise<Principal | undefined> {
    return kind === 'user' ? { id, kind, userId: id } : this.keys.principalOf(id);
  }

  /** About himself or a key of his. A key is told of its owner, and of other keys of his, where it sees something itself. */
  private async toWhomItConcerns(asking: Principal, about: Principal, asked: Asked): Promise<Explanation> {
    const { tenantId, resource } = asked;
    const subject = await this.authorizer.subject(tenantId, about);
    const own = about === asking ? subject : await this.authorizer.subject(tenantId, asking);
    const place = asking.kind === 'user' || about === asking ? `tenants/${tenantId}` : resource;
    if (tenantId !== SYSTEM_TENANT && !own.sees(place)) return NOTHING;
    return this.explain(subject, asked, (rules) => own.withinKey(rules));
  }

  /** To others it takes the permission to see what somebody may. What they may know nothing of is the same as what does not exist. */
  private async toOthers(
    asking: Principal,
    at: RequestContext,
    about: Principal | undefined,
    asked: Asked,
  ): Promise<Explanation> {
    const { tenantId } = asked;
    const own = await this.authorizer.subject(tenantId, asking);
    const place = tenantId === SYSTEM_TENANT ? '' : `tenants/${tenantId}`;
    if (!own.check('permission:read', place, at).allowed) throw permissionDenied('permission:read');
    if (!about) return NOTHING;
    const subject = await this.authorizer.subject(tenantId, about);
    if (tenantId === SYSTEM_TENANT) return this.explain(subject, asked, (rules) => rules);
    // What bounds a key is told where its owner has something from the tenant, and to who may see all that the system allows.
    const foreign = about.kind === 'api-key' && subject.policy.rules.every(({ via }) => via.system);
    if (foreign && !own.check('permission:read', '', at).allowed) return NOTHING;
    return this.explain(subject, asked, (rules) => toldIn(tenantId, rules));
  }

  private explain(
    subject: Subject,
    { tenantId, action, resource, context }: Asked,
    told: (rules: readonly Rule[]) => readonly ToldRule[],
  ): Explanation {
    const decide = (at: RequestContext): Decision =>
      subject.looksAfterOwnKeys(action, resource)
        ? subject.own(action, resource, at)
        : subject.check(action, resource, at);
    const decision = decide(context);
    const { rules } = subject.policy.explain(action, resource, context);
    const ofKey = subject.key?.policy.explain(action, resource, context).rules ?? [];
    const missing = subject.gate === null && tenantId !== SYSTEM_TENANT ? 'tenant-not-found' : undefined;
    // As a request, whose type comes to be known when the tenant has been found open.
    const isLetIn = decision.allowed || decide({ ...context, eventType: undefined }).allowed;
    const closed = isLetIn ? (missing ?? this.authorizer.closed(subject, action)) : undefined;
    return {
      allowed: decision.allowed && !closed,
      reason: closed ?? decision.reason,
      limitedToTypes: decision.types !== undefined,
      rateLimited: decision.rates !== undefined,
      rules: told([...rules, ...ofKey]),
    };
  }
}
