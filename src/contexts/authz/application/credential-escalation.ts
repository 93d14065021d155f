import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ACTIONS, actionsOf } from '../../../kernel/actions.js';
import { Clock } from '../../../kernel/clock.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../kernel/access.js';
import type { Sql } from '../../../platform/postgres/database.js';
import {
  apiKeyExceedsOwn,
  CredentialPolicies,
  keyScopeWithoutRights,
  type RequestedKey,
  type CredentialPolicy,
} from '../../identity/index.js';
import { authzError } from '../domain/authz-errors.js';
import { Bound, boundsOf } from '../domain/ceiling.js';
import { hasExpired } from '../domain/grant-expiry.js';
import { isTopRole, holdsTopRole } from '../domain/lockout.js';
import { topRole } from '../domain/predefined-roles.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { ruleOf, type Rule } from '../domain/rule.js';
import { Authorizer } from './authorizer.js';
import { RightsCatalog } from './ports.js';
import { ruleOfGrant } from './rules-for.js';

/**
 * A caller that makes a key, or gives it a new secret, can use it. So can a caller that gives an account an e-mail, to which new passwords are
 * sent. So the caller must hold without condition all that they get by it: the rights of the owner, within the bounds of the key.
 * Administrators of the system are no exception: with the key of a user who may read events they would read them without a grant that ends
 * within an hour.
 */
@Injectable()
export class CredentialEscalation implements CredentialPolicy, OnModuleInit {
  constructor(
    private readonly policies: CredentialPolicies,
    private readonly authorizer: Authorizer,
    private readonly rights: RightsCatalog,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.policies.register(this);
  }

  async checkKey(sql: Sql, key: RequestedKey, caller: Principal): Promise<void> {
    const { userId, keyId } = key;
    if (keyId !== undefined && keyId === caller.id) return;
    if (keyId === undefined) await this.requireScopes(sql, key);
    const ofKey = keyId === undefined ? [] : await this.rulesOfKey(sql, keyId);
    const granted = ofKey.filter(({ rule }) => rule.effect === 'allow');
    const bounds = [...boundsOf(key), ...granted.map(({ rule }) => new Bound(rule.actions, rule.resource))];
    if (userId !== caller.userId) {
      const ofPerson = key.ownerKind === 'human';
      const missing = await this.firstMissing(sql, userId, caller, bounds, ofPerson);
      const may = ofPerson ? 'may do, or come to do,' : 'may do';
      if (missing) throw apiKeyExceedsOwn(`The owner of the key ${may} what you may not: ${missing}.`);
    } else if (caller.kind === 'api-key') {
      await this.requireNoDenial(sql, caller, bounds);
      await this.requireGranted(sql, caller, granted);
    }
  }

  async checkEmailChange(sql: Sql, userId: string, caller: Principal): Promise<void> {
    if (userId === caller.userId && !(await this.isBounded(sql, caller))) return;
    const missing = await this.firstMissing(sql, userId, caller, boundsOf({ scopes: null, actions: null }));
    if (missing)
      throw authzError(
        'exceeds-own-permissions',
        `With the e-mail of the user you could do what you may not do: ${missing}.`,
      );
  }

  /** A key for a tenant in which its owner holds nothing would start to work by what others do there. */
  private async requireScopes(sql: Sql, { userId, scopes }: RequestedKey): Promise<void> {
    const seen = new Map<string, boolean>();
    for (const [at, { tenant }] of (scopes ?? []).entries()) {
      if (!seen.has(tenant))
        seen.set(tenant, (await this.authorizer.subjectWithin(sql, tenant, asUser(userId))).sees(`tenants/${tenant}`));
      if (!seen.get(tenant)) throw keyScopeWithoutRights(at);
    }
  }

  private async isBounded(sql: Sql, { id, kind, ceiling }: Principal): Promise<boolean> {
    if (kind === 'user') return false;
    return ceiling !== undefined || (await this.rulesOfKey(sql, id)).some(({ rule }) => rule.effect === 'deny');
  }

  /**
   * The other key would not be denied the same, or would lose the denial with the next change. What the owner may not do, none of their keys
   * may do.
   */
  private async requireNoDenial(sql: Sql, { id, userId }: Principal, bounds: readonly Bound[]): Promise<void> {
    for (const { tenantId, rule } of await this.rulesOfKey(sql, id)) {
      if (rule.effect === 'allow') continue;
      const { policy } = await this.authorizer.subjectWithin(sql, tenantId, asUser(userId));
      const denied = new Bound(rule.actions, rule.resource);
      if (partsOf(policy.rules, bounds).some((part) => denied.part(part)))
        throw apiKeyExceedsOwn(
          'The key of this request is denied something that the other one could do: log in to do this.',
        );
    }
  }

  /** What a grant adds to the bounds of the key must be within those of the calling key, or be granted to that one, too. */
  private async requireGranted(sql: Sql, caller: Principal, granted: readonly RuleOfKey[]): Promise<void> {
    for (const { tenantId, rule } of granted) {
      const { key } = await this.authorizer.subjectWithin(sql, tenantId, caller);
      const notGranted = key!.policy.missing(rule.actions, rule.resource);
      const missing = notGranted.filter((action) => !key!.ceiling.coversAll(action, rule.resource));
      if (missing.length === 0) continue;
      throw apiKeyExceedsOwn(
        `The key is granted ${listed(missing)} on ${rule.resource.text}, which is beyond the key of this request: log in to rotate it.`,
      );
    }
  }

  private async rulesOfKey(sql: Sql, keyId: string): Promise<RuleOfKey[]> {
    const grants = await this.rights.grantsToKey(sql, keyId);
    return grants.map((grant) => ({ tenantId: grant.tenantId, rule: ruleOfGrant(grant) }));
  }

  /**
   * The first of what the user may do within the bounds and the caller may not; undefined: nothing. `everMay`: all that the bounds allow,
   * since the user may get it later, and the caller with them.
   */
  private async firstMissing(
    sql: Sql,
    userId: string,
    caller: Principal,
    bounds: readonly Bound[],
    everMay = false,
  ): Promise<string | undefined> {
    const places = new Set([SYSTEM_TENANT]);
    for (const one of [userId, caller.userId])
      for (const place of await this.rights.tenantsWithRulesFor(sql, one)) places.add(place);
    for (const place of places) {
      const own = await this.authorizer.subjectWithin(sql, place, caller);
      const { policy } = await this.authorizer.subjectWithin(sql, place, asUser(userId));
      const parts = partsOf(everMay ? [...policy.rules, EVERYTHING] : policy.rules, bounds).filter(
        (rule) => !hasExpired(rule, this.clock.now()),
      );
      for (const { actions, resource } of parts) {
        // What the system says about one tenant is checked there, together with the rules of the tenant.
        const [, named] = resource.segments;
        if (named !== undefined && named !== place && places.has(named)) continue;
        const missing = [...own.policy.missing(actions, resource), ...own.beyondKey(actionsOf(actions), resource)];
        if (missing.length > 0) return listed([...new Set(missing)]);
      }
      if (parts.some((rule) => isTopRole(place, rule)) && !holdsTopRole(place, own.policy.rules))
        return `all that the role ${topRole(place)} carries`;
    }
    return undefined;
  }
}

interface RuleOfKey {
  /** Where it was granted. */
  readonly tenantId: string;
  readonly rule: Rule;
}

const EVERYTHING = ruleOf({ kind: 'grant', id: '' }, 'allow', ACTIONS, parsePattern('system'));

const asUser = (userId: string): Principal => ({ id: userId, kind: 'user', userId });
const listed = (actions: readonly string[]): string => actions.slice(0, 10).join(', ');

const partsOf = (rules: readonly Rule[], bounds: readonly Bound[]): Rule[] =>
  rules
    .filter(({ effect }) => effect === 'allow')
    .flatMap((rule) => bounds.map((bound) => bound.part(rule)).filter((part) => part !== undefined));
