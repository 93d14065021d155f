import { Injectable } from '@nestjs/common';
import { KeyRing } from '../../../platform/crypto/keys.js';

/** What of a key gives its owner something. Texts and times as they are stored. */
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

/** What is signed of each kind of credential: its owner first of all, so that nobody's own row becomes somebody else's. */
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
 * Rows of credentials are believed with a signature only: who writes to the database, but has no SECRET_KEY, makes none. The digests
 * themselves stay plain. With an HMAC in their place a row could still be given to another owner, and keys that nobody used between two
 * changes of the master key would be lost, since nothing but the secret makes their digest anew; a signature is made anew from the row.
 */
@Injectable()
export class CredentialSignatures {
  constructor(private readonly keys: KeyRing) {}

  /** The name with which signatures of today begin. */
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
