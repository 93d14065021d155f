import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { newId } from '../../../../kernel/ids.js';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { identityError, unauthenticated } from '../../domain/identity-errors.js';
import {
  endSession,
  isOver,
  judgeRefresh,
  type Session,
  type SessionEnd,
  type SessionRef,
} from '../../domain/session.js';
import { SessionStore } from './ports.js';
import { UserAccounts, type Account } from '../accounts/ports.js';
import { parseRefreshToken, Tokens } from './tokens.js';

/** Beyond it the oldest ends. */
const SESSIONS_MAX = 20;
const SEED_BYTES = 16;
const USER_AGENT_MAX = 300;

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  readonly sessionId: string;
  readonly account: Account;
}

/** Sessions from their beginning over each refresh to their end. */
@Injectable()
export class Sessions {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly sessions: SessionStore,
    private readonly aggregates: Aggregates,
    private readonly tokens: Tokens,
    private readonly clock: Clock,
    private readonly log: PinoLogger,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  /** For who has proved that the password is his; undefined: it is not any more, or he is not active any more. */
  async begin(account: Account, passwordHash: string, by: Actor): Promise<TokenPair | undefined> {
    const session = this.newSession(account.userId, by);
    if (!(await this.sessions.create(session, passwordHash))) return undefined;
    await this.endOldest(account.userId, by);
    return this.pair(session, 0, account);
  }

  /** A refresh token works once; used again it ends the session, since one of its two users has stolen it. */
  async refresh(token: string, by: Actor): Promise<TokenPair> {
    const { sessionId, rotation: number } = parseRefreshToken(token) ?? {};
    if (sessionId === undefined || number === undefined) throw unauthenticated();
    // Twice: whoever loses the race for the exchange finds what the winner has made of it.
    for (let look = 1; look <= 2; look++) {
      const now = this.clock.now();
      const session = await this.sessions.find(sessionId);
      if (!session || isOver(session, now) || !this.tokens.isGenuine(token, session, number)) break;
      const account = await this.accounts.find(session.userId);
      if (account?.state !== 'active') break;
      const verdict = judgeRefresh(session, number, now, this.settings.refreshRetrySeconds * 1_000);
      if (verdict === 'reused') {
        this.log.warn({ userId: session.userId, sessionId, correlationId: by.correlationId }, 'refresh token reused');
        await this.end(session, 'refresh-token-reused', by);
        break;
      }
      const use = { now, idleExpiresAt: this.idleLimit(now), ...originOf(by) };
      const given = verdict === 'repeat' || (await this.sessions.rotate(sessionId, number, use));
      if (given) return this.pair(session, number + 1, account);
    }
    throw unauthenticated();
  }

  /** Ends a session, wherever it is used. */
  async end(ref: SessionRef, reason: SessionEnd, by: Actor): Promise<void> {
    await this.aggregates.change(this.sessions, ref, by, (state) => endSession(state, ref, reason));
  }

  /** Sessions whose rows went with a change of their user: what is left to do is to say so. */
  async told(ended: readonly SessionRef[], reason: SessionEnd, by: Actor): Promise<void> {
    for (const { sessionId, userId } of ended) await this.end({ sessionId, userId }, reason, by);
  }

  async list(userId: string): Promise<Session[]> {
    const now = this.clock.now();
    return (await this.sessions.ofUser(userId)).filter((session) => !isOver(session, now)).toReversed();
  }

  /** One of the user's own. */
  async revoke(userId: string, sessionId: string, by: Actor): Promise<void> {
    const session = await this.sessions.find(sessionId);
    if (session?.userId !== userId)
      throw identityError('session-not-found', `There is no session "${sessionId.slice(0, 100)}".`);
    await this.end(session, 'revoked', by);
  }

  private newSession(userId: string, by: Actor): Session {
    const now = this.clock.now();
    return {
      sessionId: newId('ses', now),
      userId,
      seed: randomBytes(SEED_BYTES).toString('base64url'),
      rotation: 0,
      rotatedAt: null,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + this.settings.sessionTtlSeconds * 1_000,
      idleExpiresAt: this.idleLimit(now),
      ...originOf(by),
    };
  }

  private idleLimit(now: number): number {
    return now + this.settings.refreshTokenTtlSeconds * 1_000;
  }

  private async endOldest(userId: string, by: Actor): Promise<void> {
    await this.sessions.removeExpired(userId, this.clock.now());
    const all = await this.sessions.ofUser(userId);
    for (const session of all.slice(0, Math.max(0, all.length - SESSIONS_MAX)))
      await this.end(session, 'too-many-sessions', by);
  }

  private pair(session: Session, rotation: number, account: Account): TokenPair {
    return {
      accessToken: this.tokens.access(session, rotation),
      refreshToken: this.tokens.refresh(session, rotation),
      expiresIn: this.tokens.accessSeconds,
      sessionId: session.sessionId,
      account,
    };
  }
}

function originOf({ origin }: Actor): { address: string; userAgent: string | null } {
  return { address: origin?.address ?? 'unknown', userAgent: origin?.userAgent?.slice(0, USER_AGENT_MAX) ?? null };
}
