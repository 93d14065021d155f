import { MANAGEMENT_TOPICS, type Aggregate } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { identityError } from './identity-errors.js';

export interface SessionRef {
  readonly sessionId: string;
  readonly userId: string;
}

export type SessionEnd =
  | 'logout'
  | 'revoked'
  | 'too-many-sessions'
  | 'refresh-token-reused'
  | 'password-changed'
  | 'password-reset'
  | 'user-suspended'
  | 'user-deleted';

export interface SessionEnded {
  readonly type: 'session.ended';
  readonly data: { readonly sessionId: string; readonly userId: string; readonly reason: SessionEnd };
}

export interface SessionState {
  readonly ended: boolean;
}

/** Of a session only its end is an event: that is what others must learn at once. That it began, and each use, is in its row. */
export const sessionAggregate: Aggregate<SessionState, SessionEnded, SessionRef> = {
  topicUid: MANAGEMENT_TOPICS.sessions,
  eventTypes: { 'session.ended': { version: 1 } },
  initial: { ended: false },
  streamOf: ({ sessionId }) => sessionId,
  tenantOf: () => SYSTEM_TENANT,
  resourceOf: ({ userId, sessionId }) => `users/${userId}/sessions/${sessionId}`,
  evolve: () => ({ ended: true }),
};

export function endSession({ ended }: SessionState, ref: SessionRef, reason: SessionEnd): SessionEnded[] {
  const { sessionId, userId } = ref;
  return ended ? [] : [{ type: 'session.ended', data: { sessionId, userId, reason } }];
}

/** A session as it is kept. */
export interface Session extends SessionRef {
  /** Random; the refresh tokens are derived from it. */
  readonly seed: string;
  /** How often the refresh token was exchanged: the token with this number is the one that works. */
  readonly rotation: number;
  /** When it was last exchanged; null where nobody may repeat that, because the pair that came of it was used. */
  readonly rotatedAt: number | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly idleExpiresAt: number;
  readonly address: string;
  readonly userAgent: string | null;
}

export const isOver = ({ expiresAt, idleExpiresAt }: Session, now: number): boolean =>
  Math.min(expiresAt, idleExpiresAt) <= now;

/**
 * What a genuine refresh token is worth: the current one is exchanged; the one before may be repeated for a moment, since the answer may
 * have been lost on its way, and gives the same successor while that is unused; any other was used before, so that one of its two users
 * has stolen it.
 */
export function judgeRefresh(
  { rotation, rotatedAt }: Session,
  number: number,
  now: number,
  retryMs: number,
): 'exchange' | 'repeat' | 'reused' {
  if (number === rotation) return 'exchange';
  const repeated = number === rotation - 1 && rotatedAt !== null && now - rotatedAt < retryMs;
  return repeated ? 'repeat' : 'reused';
}

export const sessionNotFound = (sessionId: string): Error =>
  identityError('session-not-found', `There is no session "${sessionId.slice(0, 100)}".`);
