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
  /** When the previous secret stops working. */
  readonly previousEndsAt: number | null;
  readonly useCount: number;
  readonly lastUsedAt: number | null;
  readonly lastUsedFrom: string | null;
  /** 0: the key is older than its stream of events. */
  readonly version: number;
}

/** The parts of a key that are not in the event log. */
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

/** Lists start with the oldest key; the id decides between two of one millisecond. */
export interface ApiKeyCursor {
  readonly createdAt: number;
  readonly keyId: string;
}

export type ApiKeyRepository = AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef, OwnerFacts>;

/** The repository of one change that gives a key a secret. */
export interface ApiKeySecretRepository extends ApiKeyRepository {
  /** After the change. Undefined: the key was not stored. */
  readonly stored: ApiKeyView | undefined;
}

export abstract class ApiKeyStore extends AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef, OwnerFacts> {
  /**
   * Stores this secret: the first one of a new key, or the next one of an existing key, whose previous one stays for as long as the state says.
   * It waits for a concurrent deletion of the owner.
   */
  abstract storing(material: KeyMaterial): ApiKeySecretRepository;
  /** Never returns keys of a deleted user. */
  abstract find(ref: ApiKeyRef): Promise<ApiKeyView | undefined>;
  async require(ref: ApiKeyRef): Promise<ApiKeyView> {
    const key = await this.find(ref);
    if (!key) throw apiKeyNotFound(ref);
    return key;
  }
  /** Includes, for a moment, keys that a deleted user has left. */
  abstract list(userId: string, after: ApiKeyCursor, limit: number): Promise<ApiKeyView[]>;
  /** Returns those that exist and have an owner, in any order. */
  abstract forAuthentication(keyIds: readonly string[]): Promise<StoredKey[]>;
  /** Adds counts and moves last uses forward, never back, in one statement. Skips keys that do not exist any more. */
  abstract addUse(uses: readonly KeyUse[]): Promise<void>;
}

/** A key that is being created (no id yet) or gets a new secret, which the caller will see. */
export interface RequestedKey {
  readonly userId: string;
  /** A person can create keys for themselves; a service account gets them from others. */
  readonly ownerKind: UserKind;
  readonly keyId: string | undefined;
  /** The bounds of the key; null: none. */
  readonly scopes: readonly KeyScope[] | null;
  readonly actions: readonly string[] | null;
}

/**
 * Decides whether a caller may get hold of the credentials of a user, by a change that they are otherwise permitted to make. Called in the
 * transaction of the change.
 */
export interface CredentialPolicy {
  /** Throws `api-key-exceeds-own` if the key may do more than the caller, `api-key-invalid` if it could never do anything. */
  checkKey(sql: Sql, key: RequestedKey, caller: Principal): Promise<void>;
  /** Throws if the user may do more than the caller, who sets the e-mail to which a new password can be sent. */
  checkEmailChange(sql: Sql, userId: string, caller: Principal): Promise<void>;
}

/** Contexts later in the order, which give keys their permissions, register here. */
export class CredentialPolicies {
  private readonly policies: CredentialPolicy[] = [];

  register(policy: CredentialPolicy): void {
    this.policies.push(policy);
  }

  async checkKey(sql: Sql, key: RequestedKey, caller: Principal): Promise<void> {
    for (const policy of this.policies) await policy.checkKey(sql, key, caller);
  }

  async checkEmailChange(sql: Sql, userId: string, caller: Principal): Promise<void> {
    for (const policy of this.policies) await policy.checkEmailChange(sql, userId, caller);
  }
}
