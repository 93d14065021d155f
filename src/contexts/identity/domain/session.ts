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

/** The only event of a session is its end: others must learn of that at once. Its beginning, and each use, are in its row. */
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

/** A session as it is stored. */
export interface Session extends SessionRef {
  /** Random; the refresh tokens are derived from it. */
  readonly seed: string;
  /** How often the refresh token was exchanged: the token with this number is the one that works. */
  readonly rotation: number;
  /** When it was last exchanged; null: this cannot be repeated, because the resulting pair was used. */
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
 * What a genuine refresh token permits. The current one is exchanged. The previous one may be repeated for a moment, since the response may have
 * been lost, and gives the same successor while that is unused. Any other was used before, so that one of its two clients has stolen it.
 */
export function evaluateRefresh(
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
