import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { newId } from '../../../../kernel/ids.js';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { Aggregates } from '../../../../platform/event-log/index.js';
import { endSession, isOver, type Session, type SessionEnd, type SessionRef } from '../../domain/session.js';
import type { Account } from '../accounts/ports.js';
import { SessionStore } from './ports.js';
import { Tokens, type TokenPair } from './tokens.js';

/** Beyond it the oldest ends. */
const SESSIONS_MAX = 20;
const SEED_BYTES = 16;
const USER_AGENT_MAX = 300;

/** Begins, lists and ends sessions. */
@Injectable()
export class Sessions {
  constructor(
    private readonly sessions: SessionStore,
    private readonly aggregates: Aggregates,
    private readonly tokens: Tokens,
    private readonly clock: Clock,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  /** After the password was verified; undefined: the password has changed since, or the user is not active any more. */
  async begin(account: Account, passwordHash: string, by: Actor): Promise<TokenPair | undefined> {
    const session = this.newSession(account.userId, by);
    if (!(await this.sessions.create(session, passwordHash))) return undefined;
    await this.endOldest(account.userId, by);
    return this.tokens.pair(session, 0, account);
  }

  /** Ends a session, on any instance. */
  async end(ref: SessionRef, reason: SessionEnd, by: Actor): Promise<void> {
    await this.aggregates.change(this.sessions, ref, by, (state) => endSession(state, ref, reason));
  }

  /** Records the end of sessions whose rows were removed by a change of their user. */
  async recordEnds(ended: readonly SessionRef[], reason: SessionEnd, by: Actor): Promise<void> {
    for (const { sessionId, userId } of ended) await this.end({ sessionId, userId }, reason, by);
  }

  /** The newest first. */
  async list(userId: string): Promise<Session[]> {
    const now = this.clock.now();
    return (await this.sessions.ofUser(userId)).filter((session) => !isOver(session, now)).toReversed();
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
      idleExpiresAt: now + this.settings.refreshTokenTtlSeconds * 1_000,
      ...originOf(by),
    };
  }

  private async endOldest(userId: string, by: Actor): Promise<void> {
    await this.sessions.removeExpired(userId, this.clock.now());
    const all = await this.sessions.ofUser(userId);
    for (const session of all.slice(0, Math.max(0, all.length - SESSIONS_MAX)))
      await this.end(session, 'too-many-sessions', by);
  }
}

export function originOf({ origin }: Actor): { address: string; userAgent: string | null } {
  return { address: origin?.address ?? 'unknown', userAgent: origin?.userAgent?.slice(0, USER_AGENT_MAX) ?? null };
}
