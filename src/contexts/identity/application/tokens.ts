import { createHmac, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { Clock } from '../../../kernel/clock.js';
import { SECURITY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { equalDigests, KeyRing } from '../../../platform/crypto/keys.js';
import type { Session } from '../domain/session.js';

const ISSUER = 'event-store';
const REFRESH_TOKEN = /^esr_(ses_[0-9a-z]{26})_([0-9a-z]{1,7})_([\w-]{43})$/;
const SKEW_SECONDS = 30;

export interface AccessClaims {
  readonly userId: string;
  readonly sessionId: string;
  /** The rotation of the session that it was given with. */
  readonly rotation: number;
  /** Milliseconds. */
  readonly expiresAt: number;
}

/**
 * The tokens of sessions. Access tokens are signed: one algorithm, a `kid` that names one of at most two keys, a type of their own
 * (RFC 9068), an expiry. No right is in them. Refresh tokens are derived from the session, its random seed and a number: any that was ever
 * given can be recognised, and a lost answer repeated, while nothing is stored that could be used as one.
 */
@Injectable()
export class Tokens {
  constructor(
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  get accessSeconds(): number {
    return this.settings.accessTokenTtlSeconds;
  }

  access({ userId, sessionId }: Session, rotation: number): string {
    const { id: kid, key } = this.keys.current('access-tokens');
    const iat = Math.floor(this.clock.now() / 1_000);
    return jwt.sign({ sid: sessionId, rot: rotation, iat, nbf: iat, exp: iat + this.accessSeconds }, key, {
      algorithm: 'HS256',
      header: { alg: 'HS256', typ: 'at+jwt', kid },
      issuer: ISSUER,
      audience: ISSUER,
      subject: userId,
      jwtid: randomUUID(),
    });
  }

  /** Undefined: it is none of ours, or its time is over. */
  verifyAccess(token: string): AccessClaims | undefined {
    try {
      const kid = jwt.decode(token, { complete: true })?.header.kid;
      const named = this.keys.accepted('access-tokens').find(({ id }) => id === kid);
      if (!named) return undefined;
      const { header, payload } = jwt.verify(token, named.key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: ISSUER,
        complete: true,
        clockTolerance: SKEW_SECONDS,
        clockTimestamp: Math.floor(this.clock.now() / 1_000),
      });
      const { sub, sid, rot, exp } = payload as Record<string, unknown>;
      const known = typeof sub === 'string' && typeof sid === 'string' && typeof rot === 'number';
      if (header.typ !== 'at+jwt' || !known || typeof exp !== 'number') return undefined;
      // The tolerance is for clocks that are behind the one that signed; it does not prolong.
      if (exp * 1_000 <= this.clock.now()) return undefined;
      return { userId: sub, sessionId: sid, rotation: rot, expiresAt: exp * 1_000 };
    } catch {
      // Whatever is wrong with it, the caller learns the same.
      return undefined;
    }
  }

  refresh(session: Pick<Session, 'sessionId' | 'seed'>, rotation: number): string {
    return this.derive(session, rotation, this.keys.key('refresh-tokens'));
  }

  /** Whether it was given to that session at some time. */
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

/** What a refresh token says of itself; undefined: it is none. */
export function parseRefreshToken(token: string): { sessionId: string; rotation: number } | undefined {
  const match = REFRESH_TOKEN.exec(token);
  return match ? { sessionId: match[1]!, rotation: Number.parseInt(match[2]!, 36) } : undefined;
}
