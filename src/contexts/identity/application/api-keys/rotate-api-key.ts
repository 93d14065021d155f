import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import type { ExpectedVersion } from '../../../../kernel/expected-version.js';
import { digest } from '../../../../platform/crypto/keys.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { newApiKey } from '../../domain/api-key-format.js';
import { rotateApiKey, withCreation, type ApiKeyRef, type Rotation } from '../../domain/api-key.js';
import { UserAccounts } from '../accounts/ports.js';
import type { IssuedKey } from './create-api-key.js';
import { factsOf, CredentialChecks } from './credential-checks.js';
import { ApiKeyStore } from './ports.js';

export class RotateApiKey extends Command<IssuedKey> {
  constructor(
    readonly apiKey: ApiKeyRef,
    readonly rotation: Omit<Rotation, 'knowsLast'>,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

/** The caller sees the next secret, so that the rules for creating keys apply here, too. */
@CommandHandler(RotateApiKey)
export class RotateApiKeyHandler implements ICommandHandler<RotateApiKey> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly accounts: UserAccounts,
    private readonly keys: ApiKeyStore,
    private readonly issue: CredentialChecks,
    private readonly clock: Clock,
  ) {}

  async execute({ apiKey: ref, rotation: wish, by, expectedVersion }: RotateApiKey): Promise<IssuedKey> {
    const seen = typeof expectedVersion === 'object' ? expectedVersion.match : expectedVersion;
    const rotation = { ...wish, knowsLast: seen !== undefined && seen !== 'any' };
    const known = await this.keys.require(ref);
    const { kind: ownerKind } = await this.accounts.require(ref.userId);
    const own = await this.issue.limitsOf(by);
    const now = this.clock.now();
    const { secret, key } = newApiKey('live', ref.keyId);
    const { name, allowedCidrs } = known;
    const storing = this.keys.storing({ name, digest: digest(secret), allowedCidrs });
    const repository = this.issue.guardSecret(storing, { by, own }, { ...ref, ownerKind }, allowedCidrs);
    await this.aggregates.change(
      repository,
      ref,
      by,
      (state) => withCreation(state, ref, factsOf(known), (current) => rotateApiKey(current, ref, rotation, now)),
      { expectedVersion },
    );
    return { view: storing.stored!, key };
  }
}
