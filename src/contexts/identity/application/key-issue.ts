import { Injectable } from '@nestjs/common';
import type { Actor } from '../../../kernel/aggregate.js';
import { apiKeyError } from '../domain/api-key-errors.js';
import { apiKeyNotFound, type ApiKeyRef, type KeyFacts } from '../domain/api-key-aggregate.js';
import { userNotFound } from '../domain/user.js';
import { excessOf, NO_LIMITS, type KeyLimits } from '../domain/key-limits.js';
import { ApiKeyStore, type ApiKeyView } from './api-key-store.js';
import { UserAccounts } from './ports.js';
import { unauthenticated } from './sessions.js';

/** What creating and rotating keys ask before they do. */
@Injectable()
export class KeyIssue {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly users: UserAccounts,
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

  requireWithin(own: KeyLimits, wanted: KeyLimits): void {
    const errors = excessOf(own, wanted);
    if (errors.length > 0)
      throw apiKeyError('api-key-exceeds-own', 'A key cannot make one that may do more than itself.', { errors });
  }
}

export const factsOf = ({ name, scopes, actions, allowedCidrs, createdAt, expiresAt }: ApiKeyView): KeyFacts => ({
  name,
  scopes,
  actions,
  allowedCidrsCount: allowedCidrs?.length ?? 0,
  createdAt,
  expiresAt,
});
