import { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { ApiKeyEvent, ApiKeyRef, ApiKeyState } from '../../domain/api-key.js';
import type { KeyLimits } from '../../domain/key-limits.js';

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

export const KEYS_PER_USER_MAX = 50;

export abstract class ApiKeyStore extends AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef> {
  /**
   * The same repository, which gives the key this secret: of a new key its first, of another its next, while the one before stays for as
   * long as the state says. More than 50 keys of a user: `api-key-limit-reached`; a user who is gone or going: `user-not-found`.
   */
  abstract storing(material: KeyMaterial): AggregateRepository<ApiKeyState, ApiKeyEvent, ApiKeyRef>;
  /** Not of a user who is deleted. */
  abstract find(ref: ApiKeyRef): Promise<ApiKeyView | undefined>;
  /** Also those that a deleted user has left, for a moment. */
  abstract list(userId: string, after: KeyPlace, limit: number): Promise<ApiKeyView[]>;
  /** Those of them that exist and have an owner, in any order. */
  abstract forAuthentication(keyIds: readonly string[]): Promise<StoredKey[]>;
  /** Adds counts and moves last uses forward, never back, in one statement. Keys that are gone are passed over. */
  abstract addUse(uses: readonly KeyUse[]): Promise<void>;
}
