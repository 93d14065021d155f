import { randomBytes, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { systemActor } from '../../../kernel/aggregate.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { newTimelessId } from '../../../kernel/ids.js';
import { ADMIN_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { digest } from '../../../platform/crypto/keys.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { newApiKey } from '../domain/api-key.js';
import { createUser, normalEmail } from '../domain/user.js';
import { Passwords } from './passwords.js';
import { UserAccounts } from './ports.js';

export interface FirstAccess {
  readonly email: string;
  /** Undefined where the operator chose it: it is not shown again. */
  readonly password: string | undefined;
  readonly apiKey: string;
}

/** Creates the one administrator and an API key when the store is empty. */
@Injectable()
export class FirstAdministrator {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly aggregates: Aggregates,
    private readonly passwords: Passwords,
    @Inject(ADMIN_SETTINGS) private readonly settings: Settings['admin'],
  ) {}

  /** What is to be shown once; undefined: the store has an administrator. */
  async create(): Promise<FirstAccess | undefined> {
    if (await this.accounts.any()) return undefined;
    const chosen = this.settings.password?.reveal();
    const password = chosen ?? randomBytes(18).toString('base64url');
    const email = normalEmail(this.settings.email);
    const { id, secret, key } = newApiKey('live');
    const account = {
      kind: 'human' as const,
      email,
      name: 'Administrator',
      passwordHash: await this.passwords.hash(password),
    };
    const repository = this.accounts.creatingFirst(account, { id, digest: digest(secret), name: 'first key' });
    const ref = { userId: newTimelessId('usr') };
    try {
      await this.aggregates.change(repository, ref, systemActor(randomUUID()), (state) =>
        createUser(state, ref, 'human', false),
      );
    } catch (error) {
      // Another instance was faster, and shows what is to be shown.
      if (error instanceof DomainError && error.code === 'user-exists') return undefined;
      throw error;
    }
    return { email, password: chosen === undefined ? password : undefined, apiKey: key };
  }

  /**
   * Before the first request: accounts of before users were event-sourced get the event of their beginning. Two instances may do it at
   * once.
   */
  async giveEventsToOldAccounts(): Promise<void> {
    for (const { userId } of await this.accounts.withoutEvents())
      await this.aggregates.change(this.accounts, { userId }, systemActor(randomUUID()), (state) =>
        state.status === 'none' ? createUser(state, { userId }, 'human', false) : [],
      );
  }
}
