import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../../kernel/aggregate.js';
import type { SessionRef } from '../../domain/session.js';
import { Sessions } from './sessions.js';

/** Ends the session of the request. */
export class LogOut extends Command<void> {
  constructor(
    readonly session: SessionRef,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(LogOut)
export class LogOutHandler implements ICommandHandler<LogOut> {
  constructor(private readonly sessions: Sessions) {}

  execute({ session, by }: LogOut): Promise<void> {
    return this.sessions.end(session, 'logout', by);
  }
}
