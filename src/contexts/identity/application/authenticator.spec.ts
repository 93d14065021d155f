import { Clock } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/domain-error.js';
import { KeyRing } from '../../../platform/crypto/keys.js';
import type { ManagementWatch } from '../../../platform/event-log/index.js';
import type { Settings } from '../../../platform/config/index.js';
import type { Session } from '../domain/session.js';
import { Authenticator } from './authenticator.js';
import type { ApiKeyDirectory } from './api-key-directory.js';
import { DropVerdicts, DropVerdictsHandler } from './forget-credentials.js';
import type { SessionStore, UserAccounts } from './ports.js';
import { Tokens } from './tokens.js';

const MINUTE = 60_000;
const settings = { accessTokenTtlSeconds: 600 } as Settings['security'];

class TestClock extends Clock {
  at = Date.parse('2026-11-23T12:00:00Z');

  now(): number {
    return this.at;
  }
}

/** The parts that the authenticator asks, counted and controllable. */
function stage() {
  const clock = new TestClock();
  const watch = { ageMs: 0 };
  const session: Session = {
    sessionId: 'ses_1',
    userId: 'usr_1',
    seed: 'seed',
    rotation: 0,
    rotatedAt: null,
    createdAt: clock.at,
    lastUsedAt: clock.at,
    expiresAt: clock.at + 24 * 60 * MINUTE,
    idleExpiresAt: clock.at + 24 * 60 * MINUTE,
    address: '192.0.2.1',
    userAgent: null,
  };
  const store = { session: session as Session | undefined, active: true, away: false, finds: 0, touched: 0 };
  const ask = <T>(answer: () => T): Promise<T> => {
    if (store.away) return Promise.reject(new DomainError('store-unavailable', 'unavailable', 'away', 'away'));
    return Promise.resolve().then(answer);
  };
  const sessions = {
    find: () => ask(() => (store.finds++, store.session)),
    touch: () => ask(() => void store.touched++),
  } as unknown as SessionStore;
  const users = { isActive: () => ask(() => store.active) } as unknown as UserAccounts;
  const tokens = new Tokens(new KeyRing(Buffer.alloc(32, 1)), clock, settings);
  const authenticator = new Authenticator(
    users,
    {} as ApiKeyDirectory,
    sessions,
    tokens,
    watch as unknown as ManagementWatch,
    clock,
  );
  const headers = { authorization: `Bearer ${tokens.access(session, 0)}` };
  const dropping = new DropVerdictsHandler(authenticator);
  const drop = (of: DropVerdicts['of']): void => void dropping.execute(new DropVerdicts(of));
  return { authenticator, clock, headers, drop, store, watch };
}

const refused = { code: 'unauthenticated' };

describe('a verdict', () => {
  it('is found without waiting for anything, until the token expires', async () => {
    const { authenticator, clock, headers, store } = stage();
    await expect(authenticator.authenticate(headers, '192.0.2.1')).resolves.toMatchObject({
      userId: 'usr_1',
      sessionId: 'ses_1',
    });
    for (let n = 0; n < 100; n++)
      expect(authenticator.authenticate(headers, '192.0.2.1')).toMatchObject({ userId: 'usr_1' });
    expect(store.finds).toBe(1);
    clock.at += 10 * MINUTE;
    await expect(authenticator.authenticate(headers, '192.0.2.1')).rejects.toMatchObject(refused);
  });

  it.each([
    ['its session ends', { sessionId: 'ses_1' }],
    ['its user changes', { userId: 'usr_1' }],
    ['something was missed', 'everybody'],
  ] as const)('is dropped the moment that %s', async (_, concerned) => {
    const { authenticator, headers, drop, store } = stage();
    await authenticator.authenticate(headers, '192.0.2.1');
    drop({ sessionId: 'another' });
    drop({ userId: 'another' });
    expect(authenticator.authenticate(headers, '192.0.2.1')).toMatchObject({ userId: 'usr_1' });
    store.session = undefined;
    drop(concerned);
    await expect(authenticator.authenticate(headers, '192.0.2.1')).rejects.toMatchObject(refused);
  });

  it('that a change overtakes is good for its request and not kept', async () => {
    const { authenticator, headers, drop, store } = stage();
    const early = authenticator.authenticate(headers, '192.0.2.1');
    drop({ sessionId: 'ses_1' });
    await expect(early).resolves.toMatchObject({ userId: 'usr_1' });
    store.session = undefined;
    await expect(authenticator.authenticate(headers, '192.0.2.1')).rejects.toMatchObject(refused);
  });

  it('is not used once the log was silent for a second: the store is asked, or nobody is let in', async () => {
    const { authenticator, headers, store, watch } = stage();
    await authenticator.authenticate(headers, '192.0.2.1');
    watch.ageMs = 1_001;
    await expect(authenticator.authenticate(headers, '192.0.2.1')).resolves.toMatchObject({ userId: 'usr_1' });
    expect(store.finds).toBe(2);
    store.away = true;
    await expect(authenticator.authenticate(headers, '192.0.2.1')).rejects.toMatchObject({
      code: 'authorization-stale',
    });
    watch.ageMs = 999;
    expect(authenticator.authenticate(headers, '192.0.2.1')).toMatchObject({ userId: 'usr_1' });
  });

  it('is none for a user who is suspended', async () => {
    const { authenticator, headers, store } = stage();
    store.active = false;
    await expect(authenticator.authenticate(headers, '192.0.2.1')).rejects.toMatchObject(refused);
  });

  it('notes the last use of its session every five minutes', async () => {
    const { authenticator, clock, headers, store } = stage();
    await authenticator.authenticate(headers, '192.0.2.1');
    for (let minute = 0; minute < 9; minute++) {
      clock.at += MINUTE;
      await authenticator.authenticate(headers, '192.0.2.1');
      await authenticator.authenticate(headers, '192.0.2.1');
    }
    await Promise.resolve();
    expect(store.touched).toBe(1);
  });
});
