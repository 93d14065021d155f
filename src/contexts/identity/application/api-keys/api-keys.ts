import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../../kernel/expected-version.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { revokeApiKey, withOrigin, type ApiKeyRef } from '../../domain/api-key.js';
import { ApiKeyStore, type ApiKeyView, type KeyPlace } from './ports.js';
import { ApiKeyUsage } from './api-key-usage.js';
import { CreateApiKeyHandler } from './create-api-key.js';
import { factsOf, KeyIssue } from './key-issue.js';
import { RotateApiKeyHandler } from './rotate-api-key.js';

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
    private readonly issue: KeyIssue,
  ) {}

  async execute({ apiKey: ref, by, expectedVersion }: RevokeApiKey): Promise<void> {
    const known = await this.issue.find(ref);
    await this.aggregates.change(
      this.keys,
      ref,
      by,
      (state) => withOrigin(state, ref, factsOf(known), (key) => revokeApiKey(key, ref)),
      { expectedVersion },
    );
  }
}

export class GetApiKey extends Query<ApiKeyView> {
  constructor(readonly apiKey: ApiKeyRef) {
    super();
  }
}

@QueryHandler(GetApiKey)
export class GetApiKeyHandler implements IQueryHandler<GetApiKey> {
  constructor(
    private readonly issue: KeyIssue,
    private readonly usage: ApiKeyUsage,
  ) {}

  async execute({ apiKey }: GetApiKey): Promise<ApiKeyView> {
    return withPending(await this.issue.find(apiKey), this.usage);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListApiKeys extends Query<ApiKeyView[]> {
  constructor(
    readonly userId: string,
    readonly after: KeyPlace,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListApiKeys)
export class ListApiKeysHandler implements IQueryHandler<ListApiKeys> {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly issue: KeyIssue,
    private readonly usage: ApiKeyUsage,
  ) {}

  async execute({ userId, after, limit }: ListApiKeys): Promise<ApiKeyView[]> {
    await this.issue.requireUser(userId);
    return (await this.keys.list(userId, after, limit + 1)).map((key) => withPending(key, this.usage));
  }
}

/** What this process has counted and not stored yet shows, too; the counts of other instances come within seconds. */
function withPending(key: ApiKeyView, usage: ApiKeyUsage): ApiKeyView {
  const pending = usage.pendingOf(key.keyId);
  if (!pending) return key;
  const newer = pending.lastAt >= (key.lastUsedAt ?? 0);
  return {
    ...key,
    useCount: key.useCount + pending.count,
    lastUsedAt: newer ? pending.lastAt : key.lastUsedAt,
    lastUsedFrom: newer ? pending.address : key.lastUsedFrom,
  };
}

export const API_KEY_HANDLERS = [
  CreateApiKeyHandler,
  RotateApiKeyHandler,
  RevokeApiKeyHandler,
  GetApiKeyHandler,
  ListApiKeysHandler,
];
