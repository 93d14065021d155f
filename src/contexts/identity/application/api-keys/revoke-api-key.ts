import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../../kernel/expected-version.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { revokeApiKey, withCreation, type ApiKeyRef } from '../../domain/api-key.js';
import { factsOf } from './credential-checks.js';
import { ApiKeyStore } from './ports.js';

export class RevokeApiKey extends Command<void> {
  constructor(
    readonly apiKey: ApiKeyRef,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(RevokeApiKey)
export class RevokeApiKeyHandler implements ICommandHandler<RevokeApiKey> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly keys: ApiKeyStore,
  ) {}

  async execute({ apiKey: ref, by, expectedVersion }: RevokeApiKey): Promise<void> {
    const known = await this.keys.require(ref);
    await this.aggregates.change(
      this.keys,
      ref,
      by,
      (state) => withCreation(state, ref, factsOf(known), (key) => revokeApiKey(key, ref)),
      { expectedVersion },
    );
  }
}
