import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Jwt } from 'jsonwebtoken';
import { Strategy } from 'passport-jwt';
import { Clock } from '../../../kernel/clock.js';
import { UserAccounts } from '../application/accounts/ports.js';
import type { VerifiedToken } from '../application/authentication/ports.js';
import { SessionStore } from '../application/sessions/ports.js';
import { ACCESS_TOKEN_FORM, Tokens } from '../application/sessions/tokens.js';
import { unauthenticated } from '../domain/identity-errors.js';
import { isOver } from '../domain/session.js';

export interface TokenRequest {
  readonly token: string;
}

/** An access token: signed by one of our keys, of our form, with a session and a user that are still active. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(
    private readonly tokens: Tokens,
    private readonly sessions: SessionStore,
    private readonly users: UserAccounts,
    private readonly clock: Clock,
  ) {
    super({
      ...ACCESS_TOKEN_FORM,
      // The extractors of the package split the header at any blank, and so take the first of two tokens.
      jwtFromRequest: ({ token }: TokenRequest) => token,
      secretOrKeyProvider: (_, token: string, done) => {
        const key = tokens.keyOf(token);
        // A KeyObject, which the types do not know. A string costs 600 µs each time, since the package tries it as a public key first.
        done(key ? null : new Error('It names none of our keys.'), key as unknown as Buffer);
      },
      // The package uses the clock of the process; `claimsOf` uses ours.
      ignoreExpiration: true,
      jsonWebTokenOptions: { complete: true, ignoreNotBefore: true },
    });
  }

  async validate(token: Jwt): Promise<VerifiedToken> {
    const claims = this.tokens.claimsOf(token);
    if (!claims) throw unauthenticated();
    const { userId, sessionId, rotation, expiresAt } = claims;
    const session = await this.sessions.find(sessionId);
    if (session?.userId !== userId || isOver(session, this.clock.now())) throw unauthenticated();
    // A client that uses the pair of a refresh has received it: the refresh need not be repeated any more.
    if (session.rotatedAt !== null && session.rotation === rotation) await this.sessions.confirm(sessionId, rotation);
    if (!(await this.users.isActive(userId))) throw unauthenticated();
    return {
      principal: { id: userId, kind: 'user', userId, sessionId },
      expiresAt: Math.min(expiresAt, session.expiresAt),
      lastUsedAt: session.lastUsedAt,
    };
  }
}
