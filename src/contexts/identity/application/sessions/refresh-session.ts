import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PinoLogger } from 'nestjs-pino';
import type { Actor } from '../../../../kernel/aggregate.js';
import { Clock } from '../../../../kernel/clock.js';
import { SECURITY_SETTINGS, type Settings } from '../../../../platform/config/index.js';
import { unauthenticated } from '../../domain/identity-errors.js';
import { isOver, evaluateRefresh } from '../../domain/session.js';
import { UserAccounts } from '../accounts/ports.js';
import { SessionStore } from './ports.js';
import { originOf, Sessions } from './sessions.js';
import { parseRefreshToken, Tokens, type TokenPair } from './tokens.js';

export class RefreshSession extends Command<TokenPair> {
  constructor(
    readonly refreshToken: string,
    readonly by: Actor,
  ) {
    super();
  }
}

/** A refresh token works once. If it is used again, the session ends, since one of the two clients has stolen it. */
@CommandHandler(RefreshSession)
export class RefreshSessionHandler implements ICommandHandler<RefreshSession> {
  constructor(
    private readonly accounts: UserAccounts,
    private readonly store: SessionStore,
    private readonly sessions: Sessions,
    private readonly tokens: Tokens,
    private readonly clock: Clock,
    private readonly log: PinoLogger,
    @Inject(SECURITY_SETTINGS) private readonly settings: Settings['security'],
  ) {}

  async execute({ refreshToken: token, by }: RefreshSession): Promise<TokenPair> {
    const { sessionId, rotation: number } = parseRefreshToken(token) ?? {};
    if (sessionId === undefined || number === undefined) throw unauthenticated();
    // Twice: the request that loses the race for the exchange sees what the winner has stored.
    for (let look = 1; look <= 2; look++) {
      const now = this.clock.now();
      const session = await this.store.find(sessionId);
      if (!session || isOver(session, now) || !this.tokens.isGenuine(token, session, number)) break;
      const account = await this.accounts.find(session.userId);
      if (account?.state !== 'active') break;
      const verdict = evaluateRefresh(session, number, now, this.settings.refreshRetrySeconds * 1_000);
      if (verdict === 'reused') {
        this.log.warn({ userId: session.userId, sessionId, correlationId: by.correlationId }, 'refresh token reused');
        await this.sessions.end(session, 'refresh-token-reused', by);
        break;
      }
      const idleExpiresAt = now + this.settings.refreshTokenTtlSeconds * 1_000;
      const use = { now, idleExpiresAt, ...originOf(by) };
      const given = verdict === 'repeat' || (await this.store.rotate(sessionId, number, use));
      if (given) return this.tokens.pair(session, number + 1, account);
    }
    throw unauthenticated();
  }
}
