import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Action } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/access.js';
import { ApiKeyDirectory } from '../../identity/index.js';
import { permissionDenied } from '../domain/authz-errors.js';
import type { RequestContext } from '../domain/constraints.js';
import type { Decision } from '../domain/decision.js';
import type { ClosureReason } from '../domain/tenant-closure.js';
import type { Rule } from '../domain/rule.js';
import { visibleIn, type VisibleRule } from '../domain/visible-rule.js';
import { Authorizer } from './authorizer.js';
import type { PrincipalName } from './ports.js';
import type { Subject } from './subject.js';

export interface CheckedAccess {
  readonly tenantId: string;
  readonly action: Action;
  /** A path without wildcards; empty: the system. */
  readonly resource: string;
  readonly context: RequestContext;
}

export interface Explanation {
  readonly allowed: boolean;
  readonly reason: Decision['reason'] | ClosureReason | 'tenant-not-found';
  /** For some types of events only. */
  readonly limitedToTypes: boolean;
  /** Up to a rate only. */
  readonly rateLimited: boolean;
  /** Those that contributed, of the user and of the key. */
  readonly rules: readonly VisibleRule[];
}

const NOTHING: Explanation = {
  allowed: false,
  reason: 'not-allowed',
  limitedToTypes: false,
  rateLimited: false,
  rules: [],
};

/** How a request would be answered, and why, without making it. `at`: the time and the address of the caller. */
export class CheckPermission extends Query<Explanation> {
  constructor(
    readonly caller: Principal,
    readonly at: RequestContext,
    /** Whose permissions are checked; undefined: those of the caller. */
    readonly about: PrincipalName | undefined,
    readonly access: CheckedAccess,
  ) {
    super();
  }
}

/**
 * The verdict is that of the guard. Only callers that see something of a tenant learn anything about it, also whether it exists and whether it
 * is suspended.
 */
@QueryHandler(CheckPermission)
export class CheckPermissionHandler implements IQueryHandler<CheckPermission> {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly keys: ApiKeyDirectory,
  ) {}

  async execute({ caller, at, about: named, access }: CheckPermission): Promise<Explanation> {
    const about = !named || named.id === caller.id ? caller : await this.principalOf(named);
    if (about?.userId !== caller.userId) return this.explainToOthers(caller, at, about, access);
    const context = { address: at.address, ...access.context };
    return this.explainToOwner(caller, about, { ...access, context });
  }

  /** Undefined: there is no such key, or it has ended. */
  private async principalOf({ kind, id }: PrincipalName): Promise<Principal | undefined> {
    return kind === 'user' ? { id, kind, userId: id } : this.keys.principalOf(id);
  }

  /**
   * About the caller, or about another credential of the same user. A key learns about its owner, and about their other keys, where it sees
   * something itself.
   */
  private async explainToOwner(caller: Principal, about: Principal, access: CheckedAccess): Promise<Explanation> {
    const { tenantId, resource } = access;
    const subject = await this.authorizer.subject(tenantId, about);
    const own = about === caller ? subject : await this.authorizer.subject(tenantId, caller);
    const place = caller.kind === 'user' || about === caller ? `tenants/${tenantId}` : resource;
    if (tenantId !== SYSTEM_TENANT && !own.sees(place)) return NOTHING;
    return this.explain(subject, access, (rules) => own.withinKey(rules));
  }

  /** Others need `permission:read`. What they may know nothing of looks the same as what does not exist. */
  private async explainToOthers(
    caller: Principal,
    at: RequestContext,
    about: Principal | undefined,
    access: CheckedAccess,
  ): Promise<Explanation> {
    const { tenantId } = access;
    const own = await this.authorizer.subject(tenantId, caller);
    const place = tenantId === SYSTEM_TENANT ? '' : `tenants/${tenantId}`;
    if (!own.check('permission:read', place, at).allowed) throw permissionDenied('permission:read');
    if (!about) return NOTHING;
    const subject = await this.authorizer.subject(tenantId, about);
    if (tenantId === SYSTEM_TENANT) return this.explain(subject, access, (rules) => rules);
    // The bounds of a key are shown where its owner has something from the tenant, and to callers that may see all that the system allows.
    const foreign = about.kind === 'api-key' && subject.policy.rules.every(({ via }) => via.system);
    if (foreign && !own.check('permission:read', '', at).allowed) return NOTHING;
    return this.explain(subject, access, (rules) => visibleIn(tenantId, rules));
  }

  private explain(
    subject: Subject,
    { tenantId, action, resource, context }: CheckedAccess,
    visible: (rules: readonly Rule[]) => readonly VisibleRule[],
  ): Explanation {
    const decide = (at: RequestContext): Decision =>
      subject.managesOwnKeys(action, resource)
        ? subject.checkOwn(action, resource, at)
        : subject.check(action, resource, at);
    const decision = decide(context);
    const { rules } = subject.policy.explain(action, resource, context);
    const ofKey = subject.key?.policy.explain(action, resource, context).rules ?? [];
    const missing = subject.gate === null && tenantId !== SYSTEM_TENANT ? 'tenant-not-found' : undefined;
    // As for a request, whose event type becomes known after the tenant was found open.
    const isLetIn = decision.allowed || decide({ ...context, eventType: undefined }).allowed;
    const closed = isLetIn ? (missing ?? this.authorizer.closureReason(subject, action)) : undefined;
    return {
      allowed: decision.allowed && !closed,
      reason: closed ?? decision.reason,
      limitedToTypes: decision.types !== undefined,
      rateLimited: decision.rates !== undefined,
      rules: visible([...rules, ...ofKey]),
    };
  }
}
