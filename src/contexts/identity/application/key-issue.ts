import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../kernel/aggregate.js';
import type { Principal } from '../../../platform/http/request.js';
import { apiKeyError } from '../domain/api-key-errors.js';
import { apiKeyNotFound, type ApiKeyRef, type KeyFacts } from '../domain/api-key-aggregate.js';
import { userNotFound } from '../domain/user.js';
import { excessOf, NO_LIMITS, type KeyLimits } from '../domain/key-limits.js';
import { ApiKeyStore, type ApiKeyView } from './api-key-store.js';
import { CredentialJudges, type KeyInQuestion } from './credential-judges.js';
import { UserAccounts } from './ports.js';
import { unauthenticated } from './sessions.js';

/** What is asked before somebody gets credentials into his hands. */
@Injectable()
export class KeyIssue {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly users: UserAccounts,
    private readonly judges: CredentialJudges,
  ) {}

  async requireUser(userId: string): Promise<void> {
    if (!(await this.users.find(userId))) throw userNotFound(userId);
  }

  async find(ref: ApiKeyRef): Promise<ApiKeyView> {
    const key = await this.keys.find(ref);
    if (!key) throw apiKeyNotFound(ref);
    return key;
  }

  /** The bounds of the key that asks; who asks with a session has none but his rights. */
  async limitsOf({ id, origin }: Actor): Promise<KeyLimits> {
    if (!id.startsWith('key_')) return NO_LIMITS;
    const key = await this.keys.find({ userId: origin?.userId ?? '', keyId: id });
    if (!key) throw unauthenticated();
    return key;
  }

  /** The key must not be worth more than whoever asks for it: neither by its bounds, nor by what is permitted besides. */
  async requireWithin(by: Actor, own: KeyLimits, key: KeyInQuestion, wanted: KeyLimits): Promise<void> {
    const errors = excessOf(own, wanted);
    if (errors.length > 0)
      throw apiKeyError('api-key-exceeds-own', 'A key cannot make one that may do more than itself.', { errors });
    await this.judges.judgeKey(key, askingPrincipal(by, own));
  }

  /** Who gives a user another e-mail must not be able to do less than he. */
  async requireHold(by: Actor, userId: string): Promise<void> {
    await this.judges.judgeEmail(userId, askingPrincipal(by, await this.limitsOf(by)));
  }
}

const askingPrincipal = ({ id, origin }: Actor, { scopes, actions }: KeyLimits): Principal => ({
  id,
  kind: id.startsWith('key_') ? 'api-key' : 'user',
  userId: origin?.userId ?? id,
  ...((scopes ?? actions) && { ceiling: { scopes, actions } }),
});

export const factsOf = ({ scopes, actions, allowedCidrs, createdAt, expiresAt }: ApiKeyView): KeyFacts => ({
  scopes,
  actions,
  allowedCidrsCount: allowedCidrs?.length ?? 0,
  createdAt,
  expiresAt,
});
