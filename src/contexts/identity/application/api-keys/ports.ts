import { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { KeyScope, Principal } from '../../../../kernel/access.js';
import type { Sql } from '../../../../platform/postgres/database.js';
import type { OwnerFacts } from '../../domain/api-key-rules.js';
import { apiKeyNotFound, type ApiKeyEvent, type ApiKeyRef, type ApiKeyState } from '../../domain/api-key.js';
import type { KeyLimits } from '../../domain/key-limits.js';
import type { UserKind } from '../../domain/user.js';

export interface ApiKeyView extends ApiKeyRef, KeyLimits {
  readonly name: string;
  readonly createdAt: number;
  readonly rotatedAt: number | null;
  /** When the secret before the last rotation stops working. */
  readonly previousEndsAt: number | null;
  readonly useCount: number;
  readonly lastUsedAt: number | null;
  readonly lastUsedFrom: string | null;
  /** 0: the key is older than its stream. */
  readonly version: number;
}

/** What is kept of a key apart from the log. */
export interface KeyMaterial {
  readonly name: string;
  /** SHA-256 of the secret, hex. */
  readonly digest: string;
  readonly allowedCidrs: readonly string[] | null;
}

/** A key as authentication sees it. */
export interface StoredKey extends ApiKeyRef, KeyLimits {
  readonly version: number;
  readonly digest: string;
  readonly previousDigest: string | null;
  readonly previousEndsAt: number | null;
}

export interface KeyUse {
  readonly keyId: string;
  readonly count: number;
  readonly lastAt: number;
  readonly address: string;
}

/** The oldest key comes first in a list; the id decides between two of one millisecond. */
export interface KeyPlace {
  readonly createdAt: number;
  readonly keyId: string;
}

export type ApiKeyRepository = AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef, OwnerFacts>;

/** The repository of one change that gives a key a secret. */
export interface StoringApiKey extends ApiKeyRepository {
  /** As the change has left it. Undefined: it was not made. */
  readonly stored: ApiKeyView | undefined;
}

export abstract class ApiKeyStore extends AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef, OwnerFacts> {
  /**
   * Gives the key this secret: a new key its first, another its next, while the one before stays for as long as the state says. An owner
   * who is being deleted is waited for.
   */
  abstract storing(material: KeyMaterial): StoringApiKey;
  /** Not of a user who is deleted. */
  abstract find(ref: ApiKeyRef): Promise<ApiKeyView | undefined>;
  async require(ref: ApiKeyRef): Promise<ApiKeyView> {
    const key = await this.find(ref);
    if (!key) throw apiKeyNotFound(ref);
    return key;
  }
  /** Also those that a deleted user has left, for a moment. */
  abstract list(userId: string, after: KeyPlace, limit: number): Promise<ApiKeyView[]>;
  /** Those of them that exist and have an owner, in any order. */
  abstract forAuthentication(keyIds: readonly string[]): Promise<StoredKey[]>;
  /** Adds counts and moves last uses forward, never back, in one statement. Keys that are gone are passed over. */
  abstract addUse(uses: readonly KeyUse[]): Promise<void>;
}

/** A key that is made (no id yet) or gets a new secret, which whoever asks for it will see. */
export interface KeyInQuestion {
  readonly userId: string;
  /** A person can make keys for himself; a service account has them from others. */
  readonly ownerKind: UserKind;
  readonly keyId: string | undefined;
  /** What bounds it; null: nothing does. */
  readonly scopes: readonly KeyScope[] | null;
  readonly actions: readonly string[] | null;
}

/** Judges who gets hold of somebody's credentials by a change that he is permitted to make, in the transaction of the change. */
export interface CredentialJudge {
  /** Throws `api-key-exceeds-own` where the key may do more than who asks for it, `api-key-invalid` where it is for nothing. */
  judgeKey(sql: Sql, key: KeyInQuestion, asking: Principal): Promise<void>;
  /** Throws where the user may do more than who gives him another e-mail, to which a new password can be sent. */
  judgeEmail(sql: Sql, userId: string, asking: Principal): Promise<void>;
}

/** Contexts that come later in the order, and give keys something to do, register themselves here. */
export class CredentialJudges {
  private readonly judges: CredentialJudge[] = [];

  register(judge: CredentialJudge): void {
    this.judges.push(judge);
  }

  async judgeKey(sql: Sql, key: KeyInQuestion, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judgeKey(sql, key, asking);
  }

  async judgeEmail(sql: Sql, userId: string, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judgeEmail(sql, userId, asking);
  }
}
