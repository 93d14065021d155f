import type { Principal } from '../../../../kernel/access.js';
import type { Sql } from '../../../../platform/postgres/database.js';

export interface VerifiedToken {
  readonly principal: Principal;
  readonly expiresAt: number;
  /** When the last use of its session was noted. */
  readonly lastUsedAt: number;
}

/**
 * Verify a credential of which nothing is remembered, or nothing that may be trusted. They reject with the one `unauthenticated` whatever
 * is wrong with it, and with what the store throws where it is away.
 */
export abstract class CredentialStrategies {
  abstract token(token: string): Promise<VerifiedToken>;
  /** `address` is where the request comes from: a key may be bound to some. `api-key-throttled` as the `ApiKeyDirectory` says. */
  abstract apiKey(key: string, address: string): Promise<Principal>;
}

/** Whether a credential that was verified a moment ago still is one, read in the transaction of what it is to do. */
export abstract class CredentialsInForce {
  /** False: the user is suspended or gone, the session has ended, or the key was revoked, has expired, or has another secret. `now` in milliseconds. */
  abstract holds(sql: Sql, principal: Principal, now: number): Promise<boolean>;
}

export const CREDENTIAL_KINDS = ['api-key', 'password', 'reset', 'session'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** How far a pass over one kind has come: the name of the key of the last signature, and the id of its row. */
export interface CredentialPlace {
  readonly signedWith: string;
  readonly id: string;
}

export interface SignedPage {
  /** Signed with the master key of before. */
  readonly renewed: number;
  /** Left as they are: nobody can use them. No signature of ours fits, or there is none. */
  readonly refused: number;
  /** Undefined: there is nothing behind it. */
  readonly next: CredentialPlace | undefined;
}

export abstract class CredentialRows {
  /**
   * Signs, in one short transaction, the next rows that are signed with another key than that of today, where the signature fits. A row that
   * anybody has changed since it was read is passed over.
   */
  abstract signPage(kind: CredentialKind, after: CredentialPlace | undefined): Promise<SignedPage>;
}
