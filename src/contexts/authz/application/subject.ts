import { maskOf, type Action } from '../../../kernel/actions.js';
import type { Principal } from '../../../kernel/access.js';
import type { TenantGate } from '../../tenancy/index.js';
import type { CompiledCeiling } from '../domain/ceiling.js';
import type { RequestContext } from '../domain/constraints.js';
import { ALLOWED, intersect, type Decision } from '../domain/decision.js';
import type { Policy } from '../domain/policy.js';
import { overlap, type ResourcePattern } from '../domain/resource-pattern.js';
import type { Rule } from '../domain/rule.js';

/** A principal in a tenant, with everything that decisions about it depend on. */
export class Subject {
  constructor(
    readonly tenantId: string,
    readonly principal: Principal,
    readonly gate: TenantGate | null,
    /** Of the user, or of the owner of the key. */
    readonly policy: Policy,
    readonly key: { readonly ceiling: CompiledCeiling; readonly policy: Policy } | undefined,
  ) {}

  check(action: Action, resource: string, context: RequestContext): Decision {
    const decision = this.policy.check(action, resource, context);
    return this.key ? intersect(decision, this.byKey(action, resource, context)) : decision;
  }

  /** What every user may do with what is their own, within the bounds of their key. */
  checkOwn(action: Action, resource: string, context: RequestContext): Decision {
    return this.key ? this.byKey(action, resource, context) : ALLOWED;
  }

  /** What the bounds of the key or grants to it allow, less what is denied to it. */
  private byKey(action: Action, resource: string, context: RequestContext): Decision {
    const { ceiling, policy } = this.key!;
    return policy.check(action, resource, context, ceiling.covers(action, resource));
  }

  /** What the key cannot do on all of the resource, although its owner can. Grants to the key itself do not count. */
  beyondKey(actions: readonly string[], resource: ResourcePattern): string[] {
    if (!this.key) return [];
    const { ceiling, policy } = this.key;
    const denied = policy.denied(maskOf(actions), resource);
    return [...denied, ...actions.filter((action) => !ceiling.coversAll(action as Action, resource))];
  }

  /** The rules about something that the key reaches: it does not see what else its owner holds. */
  withinKey(rules: readonly Rule[]): readonly Rule[] {
    if (!this.key) return rules;
    const { ceiling, policy } = this.key;
    return rules.filter(
      ({ resource }) => ceiling.overlaps(resource) || policy.rules.some((own) => overlap(own.resource, resource)),
    );
  }

  /** Users manage their own API keys. */
  managesOwnKeys(action: Action, resource: string): boolean {
    return action.startsWith('api-key:') && resource === `users/${this.principal.userId}`;
  }

  mayBelow(action: Action, resource: string): boolean {
    if (!this.policy.mayBelow(action, resource)) return false;
    return !this.key || this.key.ceiling.sees(resource) || this.key.policy.mayBelow(action, resource);
  }

  sees(resource: string): boolean {
    if (!this.policy.sees(resource)) return false;
    return !this.key || this.key.ceiling.sees(resource) || this.key.policy.sees(resource);
  }
}
