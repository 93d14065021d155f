import type { Principal } from '../../../../kernel/access.js';
import type { Sql } from '../../../../platform/postgres/database.js';

export interface VerifiedToken {
  readonly principal: Principal;
  readonly expiresAt: number;
  /** When the last use of its session was recorded. */
  readonly lastUsedAt: number;
}

/**
 * Verify credentials that are not cached, or whose cache entry may not be trusted. They reject with the same `unauthenticated` whatever is wrong
 * with the credential, and with the error of the store if it is unavailable.
 */
export abstract class CredentialStrategies {
  abstract token(token: string): Promise<VerifiedToken>;
  /** `address` is the origin of the request: a key may be bound to addresses. Rejects with `api-key-throttled` as `ApiKeyDirectory` does. */
  abstract apiKey(key: string, address: string): Promise<Principal>;
}

/** Whether a credential that was verified a moment ago is still valid, read in the transaction of the change that it permits. */
export abstract class CredentialValidity {
  /**
   * False: the user is suspended or deleted, the session has ended, or the key was revoked, has expired, or has another secret. `now` in
   * milliseconds.
   */
  abstract isValid(sql: Sql, principal: Principal, now: number): Promise<boolean>;
}

export const CREDENTIAL_KINDS = ['api-key', 'password', 'reset', 'session'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** The position of a pass over one kind: the key id of the last signature, and the id of its row. */
export interface CredentialCursor {
  readonly signedWith: string;
  readonly id: string;
}

export interface SignedPage {
  /** Rows that were signed with the previous master key. */
  readonly renewed: number;
  /** Rows left as they are, which authenticate no one: their signature is not one of ours, or missing. */
  readonly refused: number;
  /** Undefined: the pass has reached the end. */
  readonly next: CredentialCursor | undefined;
}

export abstract class CredentialRows {
  /**
   * Re-signs, in one short transaction, the next rows that are signed with another key than the current one, if the signature is valid. Skips
   * rows that have changed since they were read.
   */
  abstract signPage(kind: CredentialKind, after: CredentialCursor | undefined): Promise<SignedPage>;
}
