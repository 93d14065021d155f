import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { ApiKeyRef } from '../../domain/api-key.js';
import { UserAccounts } from '../accounts/ports.js';
import { ApiKeyUsage } from './api-key-usage.js';
import { ApiKeyStore, type ApiKeyView, type ApiKeyCursor } from './ports.js';

export class GetApiKey extends Query<ApiKeyView> {
  constructor(readonly apiKey: ApiKeyRef) {
    super();
  }
}

@QueryHandler(GetApiKey)
export class GetApiKeyHandler implements IQueryHandler<GetApiKey> {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly usage: ApiKeyUsage,
  ) {}

  async execute({ apiKey }: GetApiKey): Promise<ApiKeyView> {
    return withPending(await this.keys.require(apiKey), this.usage);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListApiKeys extends Query<ApiKeyView[]> {
  constructor(
    readonly userId: string,
    readonly after: ApiKeyCursor,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListApiKeys)
export class ListApiKeysHandler implements IQueryHandler<ListApiKeys> {
  constructor(
    private readonly keys: ApiKeyStore,
    private readonly accounts: UserAccounts,
    private readonly usage: ApiKeyUsage,
  ) {}

  async execute({ userId, after, limit }: ListApiKeys): Promise<ApiKeyView[]> {
    await this.accounts.require(userId);
    return (await this.keys.list(userId, after, limit + 1)).map((key) => withPending(key, this.usage));
  }
}

/** Includes what this process has counted and not stored yet; the counts of other instances appear within seconds. */
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
