import { Injectable } from '@nestjs/common';
import type { Actor, DomainEvent } from '../../../../kernel/aggregate.js';
import type { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { Principal } from '../../../../platform/http/request.js';
import type { Sql } from '../../../../platform/postgres/database.js';
import { apiKeyError } from '../../domain/api-key-errors.js';
import {
  apiKeyNotFound,
  type ApiKeyEvent,
  type ApiKeyRef,
  type ApiKeyState,
  type KeyFacts,
} from '../../domain/api-key.js';
import { userNotFound, type UserEvent, type UserRef, type UserState } from '../../domain/user.js';
import { excessOf, NO_LIMITS, type KeyLimits } from '../../domain/key-limits.js';
import { ApiKeyStore, type ApiKeyView, CredentialJudges, type KeyInQuestion } from './ports.js';
import { UserAccounts, type Account } from '../accounts/ports.js';
import { unauthenticated } from '../../domain/identity-errors.js';

/** What is asked before somebody gets credentials into his hands. */
@Injectable()
export class KeyIssue {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly users: UserAccounts,
    private readonly judges: CredentialJudges,
  ) {}

  async requireUser(userId: string): Promise<Account> {
    const account = await this.users.find(userId);
    if (!account) throw userNotFound(userId);
    return account;
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

  /**
   * Gives the key its secret where the key, as it is to be stored, is not worth more than whoever asks for it: neither by its bounds nor by
   * what is permitted.
   */
  giving(
    repository: KeyRepository,
    { by, own }: { readonly by: Actor; readonly own: KeyLimits },
    key: Pick<KeyInQuestion, 'userId' | 'ownerKind' | 'keyId'>,
    allowedCidrs: KeyLimits['allowedCidrs'],
  ): KeyRepository {
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

type KeyRepository = AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef>;
type UserRepository = AggregateRepository<UserState, UserEvent, UserRef>;

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
