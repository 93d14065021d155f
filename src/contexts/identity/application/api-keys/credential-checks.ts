import { Injectable } from '@nestjs/common';
import type { Actor, DomainEvent } from '../../../../kernel/aggregate.js';
import type { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { Principal } from '../../../../kernel/access.js';
import type { Sql } from '../../../../platform/postgres/database.js';
import { apiKeyError } from '../../domain/api-key-errors.js';
import type { KeyFacts } from '../../domain/api-key.js';
import { unauthenticated } from '../../domain/identity-errors.js';
import { limitExcesses, NO_LIMITS, type KeyLimits } from '../../domain/key-limits.js';
import type { UserRepository } from '../accounts/ports.js';
import { ApiKeyStore, CredentialPolicies, type ApiKeyRepository, type ApiKeyView, type RequestedKey } from './ports.js';

/** Checks before someone gets hold of credentials. */
@Injectable()
export class CredentialChecks {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly policies: CredentialPolicies,
  ) {}

  /** The bounds of the calling key; a session has none but the rights of its user. */
  async limitsOf({ id, origin }: Actor): Promise<KeyLimits> {
    if (!id.startsWith('key_')) return NO_LIMITS;
    const key = origin?.userId && (await this.keys.find({ userId: origin.userId, keyId: id }));
    if (!key) throw unauthenticated();
    return key;
  }

  /**
   * Stores the secret of a key only if the key, as it will be stored, cannot do more than the caller: neither by its bounds nor by its
   * permissions.
   */
  guardSecret(
    repository: ApiKeyRepository,
    { by, own }: { readonly by: Actor; readonly own: KeyLimits },
    key: Pick<RequestedKey, 'userId' | 'ownerKind' | 'keyId'>,
    allowedCidrs: KeyLimits['allowedCidrs'],
  ): ApiKeyRepository {
    const caller = callerOf(by, own);
    return checkedBefore(repository, async (sql, state) => {
      if (state.status !== 'issued') return;
      const { scopes, actions, expiresAt } = state;
      const errors = limitExcesses(own, { scopes, actions, allowedCidrs, expiresAt });
      if (errors.length > 0)
        throw apiKeyError('api-key-exceeds-own', 'A key cannot create or rotate a key that may do more than itself.', {
          errors,
        });
      await this.policies.checkKey(sql, { ...key, scopes, actions }, caller);
    });
  }

  /** Gives a user another e-mail, unless the user can do more than the caller. */
  async guardEmail(repository: UserRepository, by: Actor, userId: string): Promise<UserRepository> {
    const caller = callerOf(by, await this.limitsOf(by));
    return checkedBefore(repository, (sql) => this.policies.checkEmailChange(sql, userId, caller));
  }
}

const checkedBefore = <S, E extends DomainEvent, R, F>(
  repository: AggregateRepository<S, E, R, F>,
  check: (sql: Sql, state: S) => Promise<void>,
): AggregateRepository<S, E, R, F> => ({
  aggregate: repository.aggregate,
  ask: async (sql, ref, changed) => {
    await check(sql, changed.state);
    return repository.ask(sql, ref, changed);
  },
  project: (sql, ref, changed, facts) => repository.project(sql, ref, changed, facts),
});

const callerOf = ({ id, origin }: Actor, { scopes, actions }: KeyLimits): Principal => ({
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
