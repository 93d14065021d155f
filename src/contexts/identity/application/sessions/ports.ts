import { AggregateRepository } from '../../../../platform/event-log/index.js';
import type { Session, SessionEnded, SessionRef, SessionState } from '../../domain/session.js';

/** Sessions that have not ended. Projecting the end of a session removes its row. */
export abstract class SessionStore extends AggregateRepository<SessionState, SessionEnded, SessionRef> {
  /** False: the account is not active any more, or has another password than the verified one. */
  abstract create(session: Session, passwordHash: string): Promise<boolean>;
  abstract find(sessionId: string): Promise<Session | undefined>;
  /** The oldest first. */
  abstract ofUser(userId: string): Promise<Session[]>;
  /** Exchanges the refresh token number `rotation` in one conditional update; false: another request has done so, or the session is over. */
  abstract rotate(sessionId: string, rotation: number, use: SessionUse): Promise<boolean>;
  /** The pair of this rotation has been used: the refresh cannot be repeated. */
  abstract confirm(sessionId: string, rotation: number): Promise<void>;
  abstract touch(sessionId: string, now: number): Promise<void>;
  abstract removeExpired(userId: string, now: number): Promise<void>;
}

export interface SessionUse {
  readonly now: number;
  readonly idleExpiresAt: number;
  readonly address: string;
  readonly userAgent: string | null;
}
