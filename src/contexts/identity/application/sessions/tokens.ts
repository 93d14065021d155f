import { createHmac, randomUUID, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { Clock } from '../../../../kernel/clock.js';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { equalDigests, KeyRing } from '../../../../platform/crypto/keys.js';
import type { Session } from '../../domain/session.js';
import type { Account } from '../accounts/ports.js';

const ISSUER = 'event-store';
const REFRESH_TOKEN = /^esr_(ses_[0-9a-z]{26})_([0-9a-z]{1,7})_([\w-]{43})$/;
const SKEW_MS = 30_000;

/** The form of an access token, for every verifier. */
export const ACCESS_TOKEN_FORM: {
  readonly algorithms: jwt.Algorithm[];
  readonly issuer: string;
  readonly audience: string;
} = {
  algorithms: ['HS256'],
  issuer: ISSUER,
  audience: ISSUER,
};

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** The rotation of the session that it was issued with. */
  readonly rotation: number;
  /** Milliseconds. */
  readonly expiresAt: number;
}

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Lifetime of the access token in seconds. */
  readonly expiresIn: number;
  readonly sessionId: string;
  readonly account: Account;
}

/**
 * The tokens of sessions. Access tokens are signed: one algorithm, a `kid` that names one of at most two keys, a type of their own (RFC 9068),
 * an expiry. They carry no permissions. Refresh tokens are derived from the session, its random seed and a number. So every token that was ever
 * issued can be recognised, and a lost response repeated, although nothing is stored that could be used as a token.
 */
@Injectable()
export class Tokens {
  constructor(
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  pair(session: Session, rotation: number, account: Account): TokenPair {
    return {
      accessToken: this.access(session, rotation),
      refreshToken: this.refresh(session, rotation),
      expiresIn: this.settings.accessTokenTtlSeconds,
      sessionId: session.sessionId,
      account,
    };
  }

  access({ userId, sessionId }: Session, rotation: number): string {
    const { id: kid, key } = this.keys.current('access-tokens');
    const iat = Math.floor(this.clock.now() / 1_000);
    return jwt.sign(
      { sid: sessionId, rot: rotation, iat, nbf: iat, exp: iat + this.settings.accessTokenTtlSeconds },
      key,
      {
        algorithm: 'HS256',
        header: { alg: 'HS256', typ: 'at+jwt', kid },
        issuer: ISSUER,
        audience: ISSUER,
        subject: userId,
        jwtid: randomUUID(),
      },
    );
  }

  /** The key that the token claims, before any of its claims is trusted. Undefined: it names none of ours. */
  keyOf(token: string): KeyObject | undefined {
    try {
      const kid = jwt.decode(token, { complete: true })?.header.kid;
      return this.keys.accepted('access-tokens').find(({ id }) => id === kid)?.key;
    } catch {
      // Callers learn the same, whatever is wrong with the token.
      return undefined;
    }
  }

  /** Of a token whose signature and form are valid. Undefined: it is not an access token, has expired, or is not valid yet. */
  claimsOf({ header, payload }: jwt.Jwt): AccessClaims | undefined {
    const { sub, sid, rot, nbf, exp } = payload as Record<string, unknown>;
    const known = typeof sub === 'string' && typeof sid === 'string' && typeof rot === 'number';
    if (header.typ !== 'at+jwt' || !known || typeof nbf !== 'number' || typeof exp !== 'number') return undefined;
    const now = this.clock.now();
    // For instances whose clocks are behind the one that signed; it does not extend the lifetime.
    if (nbf * 1_000 > now + SKEW_MS || exp * 1_000 <= now) return undefined;
    return { userId: sub, sessionId: sid, rotation: rot, expiresAt: exp * 1_000 };
  }

  refresh(session: Pick<Session, 'sessionId' | 'seed'>, rotation: number): string {
    return this.derive(session, rotation, this.keys.key('refresh-tokens'));
  }

  /** Whether it was ever issued for that session. */
  isGenuine(token: string, session: Pick<Session, 'sessionId' | 'seed'>, rotation: number): boolean {
    return this.keys
      .accepted('refresh-tokens')
      .some(({ key }) => equalDigests(token, this.derive(session, rotation, key)));
  }

  private derive(
    { sessionId, seed }: Pick<Session, 'sessionId' | 'seed'>,
    rotation: number,
    key: ReturnType<KeyRing['key']>,
  ): string {
    const secret = createHmac('sha256', key).update(`${sessionId} ${rotation} ${seed}`).digest('base64url');
    return `esr_${sessionId}_${rotation.toString(36)}_${secret}`;
  }
}

/** What a refresh token claims; undefined: it is not one. */
export function parseRefreshToken(token: string): { sessionId: string; rotation: number } | undefined {
  const match = REFRESH_TOKEN.exec(token);
  return match ? { sessionId: match[1]!, rotation: Number.parseInt(match[2]!, 36) } : undefined;
}
