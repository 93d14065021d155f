import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { Clock } from '../../../kernel/clock.js';
import { newId } from '../../../kernel/ids.js';
import { SECURITY_SETTINGS, type Settings } from '../../../platform/config/index.js';
import { digest, KeyRing } from '../../../platform/crypto/keys.js';
import { identityError } from '../domain/identity-errors.js';
import { Passwords } from './passwords.js';
import { Credentials, type Account } from './ports.js';

export const ISSUER = 'event-store';

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  readonly sessionId: string;
  readonly account: Account;
}

/** Logins, refreshes and logouts. */
@Injectable()
export class Sessions {
  /** Guesses are counted before the hash, so that parallel ones cannot slip through. */
  private readonly byAddress = new RateLimiterMemory({ points: 30, duration: 60 });
  private readonly byAccount = new RateLimiterMemory({ points: 10, duration: 900 });

  constructor(
    private readonly credentials: Credentials,
    private readonly passwords: Passwords,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  async login(email: string, password: string, address: string): Promise<TokenPair> {
    const name = email.normalize('NFKC').toLowerCase();
    const guess = `${address} ${name}`;
    await this.throttle(this.byAddress, address);
    await this.throttle(this.byAccount, guess);
    const account = await this.credentials.findByEmail(name);
    const right = await this.passwords.verify(password, account?.passwordHash);
    if (!account || !right) throw identityError('login-failed', 'E-mail or password is wrong.');
    await this.byAccount.delete(guess);
    const now = this.clock.now();
    const sessionId = newId('ses', now);
    const refreshToken = newRefreshToken(sessionId);
    const expiresAt = now + this.settings.refreshTokenTtlSeconds * 1_000;
    await this.credentials.createSession({
      sessionId,
      userId: account.userId,
      refreshDigest: digest(refreshToken),
      createdAt: now,
      expiresAt,
    });
    return this.pair(account, sessionId, refreshToken);
  }

  /** A refresh token works once; used again it ends the session, since one of its two users has stolen it. */
  async refresh(token: string): Promise<TokenPair> {
    const sessionId = /^esr_(ses_[0-9a-z]{26})_[\w-]{43}$/.exec(token)?.[1];
    if (sessionId === undefined) throw unauthenticated();
    const successor = newRefreshToken(sessionId);
    const rotation = await this.credentials.rotate(sessionId, digest(token), digest(successor), this.clock.now());
    const session = rotation === 'rotated' ? await this.credentials.findSession(sessionId) : undefined;
    const account = session && (await this.credentials.findUser(session.userId));
    if (!account) throw unauthenticated();
    return this.pair(account, sessionId, successor);
  }

  end(sessionId: string): Promise<void> {
    return this.credentials.endSession(sessionId);
  }

  private pair(account: Account, sessionId: string, refreshToken: string): TokenPair {
    const expiresIn = this.settings.accessTokenTtlSeconds;
    const accessToken = jwt.sign({ sid: sessionId }, this.keys.key('access-tokens'), {
      algorithm: 'HS256',
      header: { alg: 'HS256', typ: 'at+jwt' },
      issuer: ISSUER,
      audience: ISSUER,
      subject: account.userId,
      expiresIn,
    });
    return { accessToken, refreshToken, expiresIn, sessionId, account };
  }

  private async throttle(limiter: RateLimiterMemory, key: string): Promise<void> {
    try {
      await limiter.consume(key);
    } catch (refusal) {
      const { msBeforeNext } = refusal as RateLimiterRes;
      throw identityError('login-throttled', 'Too many attempts; wait before the next one.', {
        retryAfterSeconds: msBeforeNext / 1_000,
      });
    }
  }
}

const newRefreshToken = (sessionId: string): string => `esr_${sessionId}_${randomBytes(32).toString('base64url')}`;

export const unauthenticated = (): Error =>
  identityError('unauthenticated', 'The credentials are missing, wrong or expired.');
