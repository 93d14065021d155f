import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import { sessionNotFound, type SessionRef } from '../../domain/session.js';
import { SessionStore } from './ports.js';
import { Sessions } from './sessions.js';

/** Ends any of the user's own sessions. */
export class RevokeSession extends Command<void> {
  constructor(
    readonly session: SessionRef,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(RevokeSession)
export class RevokeSessionHandler implements ICommandHandler<RevokeSession> {
  constructor(
    private readonly store: SessionStore,
    private readonly sessions: Sessions,
  ) {}

  async execute({ session: { sessionId, userId }, by }: RevokeSession): Promise<void> {
    const session = await this.store.find(sessionId);
    if (session?.userId !== userId) throw sessionNotFound(sessionId);
    await this.sessions.end(session, 'revoked', by);
  }
}
