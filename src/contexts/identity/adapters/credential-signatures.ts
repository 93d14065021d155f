import { Injectable } from '@nestjs/common';
import { KeyRing } from '../../../platform/crypto/keys.js';

/** The columns of a key that give its owner access. Texts and times as they are stored. */
export interface SignedKey {
  readonly keyId: string;
  readonly userId: string;
  readonly digest: string;
  readonly previousDigest: string | null;
  readonly previousEndsAt: number | null;
  readonly scopes: string | null;
  readonly actions: string | null;
  readonly allowedCidrs: string | null;
  readonly expiresAt: number | null;
}

export interface SignedPassword {
  readonly userId: string;
  readonly passwordHash: string;
}

export interface SignedReset {
  readonly userId: string;
  readonly digest: string;
  readonly expiresAt: number;
}

export interface SignedSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly seed: string;
  readonly expiresAt: number;
}

/** What is signed of each kind of credential. The owner is always part of it, so that a row cannot be given to another user. */
export const credentialTexts = {
  apiKey: (key: SignedKey): string =>
    JSON.stringify([
      'api-key',
      key.keyId,
      key.userId,
      key.digest,
      key.previousDigest,
      key.previousEndsAt,
      key.scopes,
      key.actions,
      key.allowedCidrs,
      key.expiresAt,
    ]),
  password: ({ userId, passwordHash }: SignedPassword): string => JSON.stringify(['password', userId, passwordHash]),
  reset: ({ userId, digest, expiresAt }: SignedReset): string => JSON.stringify(['reset', userId, digest, expiresAt]),
  session: ({ sessionId, userId, seed, expiresAt }: SignedSession): string =>
    JSON.stringify(['session', sessionId, userId, seed, expiresAt]),
};

/**
 * Rows of credentials are trusted only with a signature: an attacker who writes to the database, but has no SECRET_KEY, cannot make one. The
 * digests themselves stay plain. With an HMAC in their place a row could still be given to another owner, and keys that no one used between two
 * changes of the master key would be lost, since only the secret can produce their digest again; a signature can be renewed from the row.
 */
@Injectable()
export class CredentialSignatures {
  constructor(private readonly keys: KeyRing) {}

  /** The name with which current signatures begin. */
  get keyId(): string {
    return this.keys.current('credentials').id;
  }

  sign(text: string): string {
    return this.keys.sign(text, 'credentials');
  }

  fits(text: string, signature: string): boolean {
    return this.keys.isSigned(text, signature, 'credentials');
  }
}
