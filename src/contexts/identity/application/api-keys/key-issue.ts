import { Injectable } from '@nestjs/common';
import type { Actor, DomainEvent } from '../../../../kernel/aggregate.js';
import type { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { Principal } from '../../../../kernel/access.js';
import type { Sql } from '../../../../platform/postgres/database.js';
import { apiKeyError } from '../../domain/api-key-errors.js';
import type { KeyFacts } from '../../domain/api-key.js';
import { unauthenticated } from '../../domain/identity-errors.js';
import { excessOf, NO_LIMITS, type KeyLimits } from '../../domain/key-limits.js';
import type { UserRepository } from '../accounts/ports.js';
import { ApiKeyStore, CredentialJudges, type ApiKeyRepository, type ApiKeyView, type KeyInQuestion } from './ports.js';

/** What is asked before somebody gets credentials into his hands. */
@Injectable()
export class KeyIssue {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly judges: CredentialJudges,
  ) {}

  /** The bounds of the key that asks; who asks with a session has none but his rights. */
  async limitsOf({ id, origin }: Actor): Promise<KeyLimits> {
    if (!id.startsWith('key_')) return NO_LIMITS;
    const key = origin?.userId && (await this.keys.find({ userId: origin.userId, keyId: id }));
    if (!key) throw unauthenticated();
    return key;
  }

  /**
   * Gives the key its secret where the key, as it is to be stored, is not worth more than whoever asks for it: neither by its bounds nor by
   * what is permitted.
   */
  giving(
    repository: ApiKeyRepository,
    { by, own }: { readonly by: Actor; readonly own: KeyLimits },
    key: Pick<KeyInQuestion, 'userId' | 'ownerKind' | 'keyId'>,
    allowedCidrs: KeyLimits['allowedCidrs'],
  ): ApiKeyRepository {
    const asking = askingPrincipal(by, own);
    return judged(repository, async (sql, state) => {
      if (state.status !== 'issued') return;
      const { scopes, actions, expiresAt } = state;
      const errors = excessOf(own, { scopes, actions, allowedCidrs, expiresAt });
      if (errors.length > 0)
        throw apiKeyError('api-key-exceeds-own', 'A key cannot make one that may do more than itself.', { errors });
      await this.judges.judgeKey(sql, { ...key, scopes, actions }, asking);
    });
  }

  /** Gives a user another e-mail, where who does it is not able to do less than he. */
  async moving(repository: UserRepository, by: Actor, userId: string): Promise<UserRepository> {
    const asking = askingPrincipal(by, await this.limitsOf(by));
    return judged(repository, (sql) => this.judges.judgeEmail(sql, userId, asking));
  }
}

const judged = <S, E extends DomainEvent, R, F>(
  repository: AggregateRepository<S, E, R, F>,
  judge: (sql: Sql, state: S) => Promise<void>,
): AggregateRepository<S, E, R, F> => ({
  aggregate: repository.aggregate,
  ask: async (sql, ref, changed) => {
    await judge(sql, changed.state);
    return repository.ask(sql, ref, changed);
  },
  project: (sql, ref, changed, facts) => repository.project(sql, ref, changed, facts),
});

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
