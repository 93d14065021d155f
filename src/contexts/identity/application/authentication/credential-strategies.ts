import type { Principal } from '../../../../platform/http/request.js';

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
