import { endSession, isOver, evaluateRefresh, sessionAggregate, type Session } from './session.js';

const ref = { sessionId: 'ses_1', userId: 'usr_1' };
const session: Session = {
  ...ref,
  seed: 'seed',
  rotation: 3,
  rotatedAt: 10_000,
  createdAt: 0,
  lastUsedAt: 10_000,
  expiresAt: 100_000,
  idleExpiresAt: 50_000,
  address: '192.0.2.1',
  userAgent: null,
};

describe('a session', () => {
  it('ends once', () => {
    const [event] = endSession(sessionAggregate.initial, ref, 'logout');
    expect(event).toEqual({ type: 'session.ended', data: { ...ref, reason: 'logout' } });
    const ended = sessionAggregate.evolve(sessionAggregate.initial, event!, { recordedAt: 1 });
    expect(endSession(ended, ref, 'revoked')).toEqual([]);
  });

  it('is over when it was idle for too long, and in any case at a fixed time after its login', () => {
    expect([49_999, 50_000].map((now) => isOver(session, now))).toEqual([false, true]);
    expect(isOver({ ...session, idleExpiresAt: 200_000 }, 100_000)).toBe(true);
  });
});

describe('a genuine refresh token', () => {
  it.each([
    ['the current one', 3, session, 10_001, 'exchange'],
    ['the current one, later', 3, session, 40_000, 'exchange'],
    ['the previous one, within the time for a retry', 2, session, 19_999, 'repeat'],
    ['the previous one, after that time', 2, session, 20_000, 'reused'],
    ['the previous one, when its successor was used', 2, { ...session, rotatedAt: null }, 10_001, 'reused'],
    ['an older one', 1, session, 10_001, 'reused'],
    ['one that was never issued', 4, session, 10_001, 'reused'],
  ] as const)('is evaluated: %s', (_, number, kept, now, verdict) => {
    expect(evaluateRefresh(kept, number, now, 10_000)).toBe(verdict);
  });

  it('is never repeated if the operator allows no retry', () => {
    expect(evaluateRefresh(session, 2, 10_000, 0)).toBe('reused');
  });
});
