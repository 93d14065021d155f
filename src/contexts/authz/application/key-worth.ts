import { Injectable, type OnModuleInit } from '@nestjs/common';
import { maskOf } from '../../../kernel/actions.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Principal } from '../../../platform/http/request.js';
import { apiKeyExceedsOwn, KeyJudges, type KeyInQuestion, type KeyJudge } from '../../identity/index.js';
import { holdsAll } from '../domain/lockout.js';
import { parsePattern, type ResourcePattern } from '../domain/resource-pattern.js';
import { Authorizer } from './authorizer.js';
import { GrantCatalog, MemberCatalog, type GrantView } from './ports.js';

/**
 * Whoever makes a key, or gives it a new secret, has it in his hands. What bounds the key is judged by its context; here is judged what
 * permissions add: grants to the one key, denials to the other, and the rights of an owner who is somebody else.
 */
@Injectable()
export class KeyWorth implements KeyJudge, OnModuleInit {
  constructor(
    private readonly judges: KeyJudges,
    private readonly authorizer: Authorizer,
    private readonly grants: GrantCatalog,
    private readonly members: MemberCatalog,
  ) {}

  onModuleInit(): void {
    this.judges.register(this);
  }

  async judge({ userId, keyId }: KeyInQuestion, asking: Principal): Promise<void> {
    if (keyId !== undefined && keyId === asking.id) return;
    if (asking.kind === 'api-key') await this.requireNoDenial(asking);
    if (asking.kind === 'api-key' && keyId !== undefined)
      for (const grant of await this.grants.toApiKey(keyId)) await this.requireGranted(grant, asking);
    if (userId !== asking.userId) await this.requireRightsOf(userId, asking);
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

  /** An administrator of the system makes keys for everybody; who else may, makes none for somebody who may do more than himself. */
  private async requireRightsOf(userId: string, asking: Principal): Promise<void> {
    const inSystem = await this.authorizer.subject(SYSTEM_TENANT, asking);
    if (holdsAll(SYSTEM_TENANT, inSystem.policy.rules)) return;
    const owner: Principal = { id: userId, kind: 'user', userId };
    const memberships = await this.members.ofUser(userId);
    for (const tenantId of new Set([SYSTEM_TENANT, ...memberships.map((member) => member.tenantId)])) {
      const [own, wanted] = [
        await this.authorizer.subject(tenantId, asking),
        await this.authorizer.subject(tenantId, owner),
      ];
      for (const { effect, actions, resource } of wanted.policy.rules) {
        const missing = effect === 'allow' ? own.policy.missing(actions, resource) : [];
        if (missing.length > 0) throw beyondCaller(missing, resource);
      }
    }
  }
}

const beyondCaller = (missing: readonly string[], { text }: ResourcePattern): Error =>
  apiKeyExceedsOwn(`The owner of the key may do what you may not: ${some(missing)} on ${text}.`);

const some = (actions: readonly string[]): string => actions.slice(0, 10).join(', ');
