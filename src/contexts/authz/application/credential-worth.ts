import { Injectable, type OnModuleInit } from '@nestjs/common';
import { actionsOf, maskOf } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../platform/http/request.js';
import { apiKeyExceedsOwn, CredentialJudges, type KeyInQuestion, type CredentialJudge } from '../../identity/index.js';
import { authzError } from '../domain/authz-errors.js';
import { holdsAll } from '../domain/lockout.js';
import { parsePattern } from '../domain/resource-pattern.js';
import { Authorizer } from './authorizer.js';
import { GrantCatalog, MemberCatalog, type GrantView } from './ports.js';

/**
 * Whoever makes a key, or gives it a new secret, has it in his hands; so has an account who gives it an e-mail, to which a new password is
 * sent. What bounds keys is judged by their context; here is judged what permissions add: grants to the one key, denials to the other, and
 * the rights of somebody else.
 */
@Injectable()
export class CredentialWorth implements CredentialJudge, OnModuleInit {
  constructor(
    private readonly judges: CredentialJudges,
    private readonly authorizer: Authorizer,
    private readonly grants: GrantCatalog,
    private readonly members: MemberCatalog,
  ) {}

  onModuleInit(): void {
    this.judges.register(this);
  }

  async judgeKey({ userId, keyId }: KeyInQuestion, asking: Principal): Promise<void> {
    if (keyId !== undefined && keyId === asking.id) return;
    if (asking.kind === 'api-key') await this.requireNoDenial(asking);
    if (asking.kind === 'api-key' && keyId !== undefined)
      for (const grant of await this.grants.toApiKey(keyId)) await this.requireGranted(grant, asking);
    // What an administrator's key may not do, the bounds of the other one exclude, too.
    if (userId === asking.userId || (await this.administers(asking))) return;
    const [missing, resource] = (await this.lacking(userId, asking)) ?? [];
    if (missing)
      throw apiKeyExceedsOwn(`The owner of the key may do what you may not: ${some(missing)} on ${resource}.`);
  }

  async judgeEmail(userId: string, asking: Principal): Promise<void> {
    const bounded = await this.isBounded(asking);
    if (!bounded && (userId === asking.userId || (await this.administers(asking)))) return;
    const [missing, resource] = (await this.lacking(userId, asking)) ?? [];
    if (missing)
      throw authzError(
        'exceeds-own-permissions',
        `Whoever has the e-mail of the user may do what you may not: ${some(missing)} on ${resource}.`,
      );
  }

  private async isBounded({ id, kind, ceiling }: Principal): Promise<boolean> {
    if (kind === 'user') return false;
    return ceiling !== undefined || (await this.grants.toApiKey(id)).some(({ effect }) => effect === 'deny');
  }

  private async administers(asking: Principal): Promise<boolean> {
    return holdsAll(SYSTEM_TENANT, (await this.authorizer.subject(SYSTEM_TENANT, asking)).policy.rules);
  }

  /** The other key would not be denied the same, or would be rid of it with the next change. */
  private async requireNoDenial({ id }: Principal): Promise<void> {
    const denial = (await this.grants.toApiKey(id)).find(({ effect }) => effect === 'deny');
    if (!denial) return;
    throw apiKeyExceedsOwn(
      `The key that asks is denied ${some(denial.actions)} on ${denial.resource}: it makes and rotates no other key.`,
    );
  }

  /** What a grant adds to the bounds of the key must be within those of the key that asks, or be granted to it, too. */
  private async requireGranted({ tenantId, effect, actions, resource }: GrantView, asking: Principal): Promise<void> {
    if (effect === 'deny') return;
    const pattern = parsePattern(resource);
    const { key } = await this.authorizer.subject(tenantId, asking);
    const notGranted = key!.policy.missing(maskOf(actions), pattern);
    const missing = notGranted.filter((action) => !key!.ceiling.coversAll(action, pattern));
    if (missing.length === 0) return;
    throw apiKeyExceedsOwn(
      `The key is granted ${some(missing)} on ${resource}, which is beyond the key that asks: log in to rotate it.`,
    );
  }

  /** What the user may do and the other may not, the first of it. */
  private async lacking(
    userId: string,
    asking: Principal,
  ): Promise<readonly [missing: readonly string[], resource: string] | undefined> {
    const user: Principal = { id: userId, kind: 'user', userId };
    const memberships = await this.members.ofUser(userId);
    for (const tenantId of new Set([SYSTEM_TENANT, ...memberships.map((member) => member.tenantId)])) {
      const own = await this.authorizer.subject(tenantId, asking);
      const { policy } = await this.authorizer.subject(tenantId, user);
      for (const { effect, actions, resource } of policy.rules) {
        if (effect === 'deny') continue;
        const beyondKey = own.beyondKey(actionsOf(actions), resource);
        const missing = [...new Set([...own.policy.missing(actions, resource), ...beyondKey])];
        if (missing.length > 0) return [missing, resource.text];
      }
    }
    return undefined;
  }
}

const some = (actions: readonly string[]): string => actions.slice(0, 10).join(', ');
