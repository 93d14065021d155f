import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { digest } from '../../../../platform/crypto/keys.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { newApiKey } from '../../domain/api-key-format.js';
import { createApiKey, LIFETIME_MS_DEFAULT } from '../../domain/api-key.js';
import type { KeyLimits } from '../../domain/key-limits.js';
import { UserAccounts } from '../accounts/ports.js';
import { CredentialChecks } from './credential-checks.js';
import { ApiKeyStore, type ApiKeyView } from './ports.js';

export interface ApiKeyInput extends Omit<KeyLimits, 'expiresAt'> {
  readonly name: string;
  /** Undefined: 90 days from now, but not later than the end of the calling key. */
  readonly expiresAt: number | null | undefined;
}

export interface IssuedKey {
  readonly view: ApiKeyView;
  /** Shown only once. */
  readonly key: string;
}

export class CreateApiKey extends Command<IssuedKey> {
  constructor(
    readonly userId: string,
    readonly input: ApiKeyInput,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(CreateApiKey)
export class CreateApiKeyHandler implements ICommandHandler<CreateApiKey> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly keys: ApiKeyStore,
    private readonly issue: CredentialChecks,
    private readonly clock: Clock,
  ) {}

  async execute({ userId, input, by }: CreateApiKey): Promise<IssuedKey> {
    const { kind: ownerKind } = await this.accounts.require(userId);
    const own = await this.issue.limitsOf(by);
    const now = this.clock.now();
    const { name, scopes, actions, allowedCidrs } = input;
    const standard = Math.min(now + LIFETIME_MS_DEFAULT, own.expiresAt ?? Infinity);
    const expiresAt = input.expiresAt === undefined ? standard : input.expiresAt;
    const { id, secret, key } = newApiKey('live');
    const ref = { userId, keyId: id };
    const facts = { scopes, actions, allowedCidrsCount: allowedCidrs?.length ?? 0, createdAt: now, expiresAt };
    const storing = this.keys.storing({ name, digest: digest(secret), allowedCidrs });
    const repository = this.issue.guardSecret(
      storing,
      { by, own },
      { userId, ownerKind, keyId: undefined },
      allowedCidrs,
    );
    await this.aggregates.change(repository, ref, by, (state) => createApiKey(state, ref, facts));
    return { view: storing.stored!, key };
  }
}
