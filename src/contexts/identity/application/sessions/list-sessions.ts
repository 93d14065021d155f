import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Session } from '../../domain/session.js';
import { Sessions } from './sessions.js';

/** The sessions of a user that have not ended, the newest first. */
export class ListSessions extends Query<Session[]> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(ListSessions)
export class ListSessionsHandler implements IQueryHandler<ListSessions> {
  constructor(private readonly sessions: Sessions) {}

  execute({ userId }: ListSessions): Promise<Session[]> {
    return this.sessions.list(userId);
  }
}
