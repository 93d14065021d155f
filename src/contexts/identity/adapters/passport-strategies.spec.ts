import jwt from 'jsonwebtoken';
import { signedToken } from '../../../../test/support/faults/forged-tokens.js';
import { DomainError } from '../../../kernel/domain-error.js';
import type { Settings } from '../../../platform/config/index.js';
import { KeyRing } from '../../../platform/crypto/keys.js';
import type { UserAccounts } from '../application/accounts/ports.js';
import type { ApiKeyDirectory } from '../application/authentication/api-key-directory.js';
import type { SessionStore } from '../application/sessions/ports.js';
import { Tokens } from '../application/sessions/tokens.js';
import type { Session } from '../domain/session.js';
import { ApiKeyStrategy } from './api-key.strategy.js';
import { JwtStrategy } from './jwt.strategy.js';
import { PassportStrategies } from './passport-strategies.js';

const AT = Date.parse('2031-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;
const refused = { code: 'unauthenticated' };
const settings = { accessTokenTtlSeconds: 600 } as Settings['security'];
const away = new DomainError('store-unavailable', 'unavailable', 'away', 'away');

const sessionOf = (n: number): Session => ({
  sessionId: `ses_${n}`,
  userId: `usr_${n}`,
  seed: 'seed',
  rotation: 1,
  rotatedAt: null,
  createdAt: AT,
  lastUsedAt: AT - 5,
  expiresAt: AT + HOUR_MS,
  idleExpiresAt: AT + HOUR_MS,
  address: '192.0.2.1',
  userAgent: null,
});

/** Far from the clock of the process, which must not be used. */
function stage() {
  const clock = { now: () => at };
  let at = AT;
  const store = {
    sessions: new Map([1, 2].map((n) => [`ses_${n}`, sessionOf(n)])),
    active: true,
    away: false,
    confirmed: [] as number[],
    /** Resolves what is held back. */
    release: undefined as (() => void) | undefined,
    held: undefined as Promise<void> | undefined,
  };
  const sessions = {
    find: async (id: string) => {
      if (store.away) throw away;
      if (id === 'ses_1') await store.held;
      return store.sessions.get(id);
    },
    confirm: async (_: string, rotation: number) => void store.confirmed.push(rotation),
  } as unknown as SessionStore;
  const users = { isActive: async () => store.active } as unknown as UserAccounts;
  const keys = new KeyRing(Buffer.alloc(32, 1));
  const tokens = new Tokens(keys, clock, settings);
  const directory = {
    verify: (key: string, address: string) => {
      if (key === 'es_bad') throw away;
      return { id: key, kind: 'api-key', userId: address };
    },
  } as unknown as ApiKeyDirectory;
  const strategies = new PassportStrategies(
    new JwtStrategy(tokens, sessions, users, clock),
    new ApiKeyStrategy(directory),
  );
  return {
    strategies,
    store,
    keys,
    tokens,
    token: (n = 1) => tokens.access(sessionOf(n), 1),
    later: (ms: number) => void (at += ms),
  };
}

describe('the strategy for access tokens', () => {
  it('returns the user of the token, its expiry, and the last use of its session', async () => {
    const { strategies, token } = stage();
    expect(await strategies.token(token())).toEqual({
      principal: { id: 'usr_1', kind: 'user', userId: 'usr_1', sessionId: 'ses_1' },
      expiresAt: AT + 600_000,
      lastUsedAt: AT - 5,
    });
  });

  it('gives each of two concurrent requests its own result', async () => {
    const { strategies, store, token } = stage();
    store.held = new Promise((resolve) => (store.release = resolve));
    const first = strategies.token(token(1));
    expect((await strategies.token(token(2))).principal.userId).toBe('usr_2');
    store.release!();
    expect((await first).principal.userId).toBe('usr_1');
  });

  it('evaluates times by the injected clock', async () => {
    const { strategies, token, later } = stage();
    const given = token();
    later(-30_000);
    await expect(strategies.token(given)).resolves.toBeDefined();
    later(-1);
    await expect(strategies.token(given)).rejects.toMatchObject(refused);
    later(30_001 + 599_999);
    await expect(strategies.token(given)).resolves.toBeDefined();
    later(1);
    await expect(strategies.token(given)).rejects.toMatchObject(refused);
  });

  it.each<[string, (claims: jwt.JwtPayload, header: jwt.JwtHeader) => void]>([
    ['another type', (_, header) => (header.typ = 'JWT')],
    ['the name of no key', (_, header) => (header.kid = 'none')],
    ['another issuer', (claims) => (claims.iss = 'else')],
    ['another audience', (claims) => (claims.aud = 'else')],
    ['no end', (claims) => delete claims.exp],
    ['no beginning', (claims) => delete claims.nbf],
    ['an end that is a text', (claims) => Object.assign(claims, { exp: '2031' })],
    ['no session', (claims) => delete claims.sid],
    ['the session of another user', (claims) => (claims.sid = 'ses_2')],
  ])('refuses one with %s, signed by our key', async (_, change) => {
    const { strategies, keys, token } = stage();
    const { header, payload } = jwt.decode(token(), { complete: true })!;
    const claims = payload as jwt.JwtPayload;
    change(claims, header);
    const forged = signedToken(header, claims, keys.key('access-tokens'));
    await expect(strategies.token(forged)).rejects.toMatchObject(refused);
  });

  it('refuses one of another algorithm with a valid signature', async () => {
    const { strategies, keys, token } = stage();
    const { header, payload } = jwt.decode(token(), { complete: true })!;
    const key = keys.key('access-tokens');
    for (const [alg, status] of [
      ['HS256', 'fulfilled'],
      ['HS512', 'rejected'],
    ] as const) {
      const signed = jwt.sign(payload, key, { algorithm: alg, header: { ...header, alg } });
      expect([alg, (await Promise.allSettled([strategies.token(signed)]))[0].status]).toEqual([alg, status]);
    }
  });

  it('refuses everything that is not a token, and a token of a foreign key', async () => {
    const { strategies, token } = stage();
    const foreign = new Tokens(new KeyRing(Buffer.alloc(32, 2)), { now: () => AT }, settings).access(sessionOf(1), 1);
    const [head, body] = token().split('.');
    const strange = ['', 'a.b.c', '{}', '..', `${head}.${body}.`, `e30.${body}.x`, 'bnVsbA.bnVsbA.', '\u{1f600}'];
    for (const none of [foreign, ...strange]) await expect(strategies.token(none)).rejects.toMatchObject(refused);
  });

  it('refuses a session that is over, or of a suspended user', async () => {
    const { strategies, store, token } = stage();
    store.active = false;
    await expect(strategies.token(token())).rejects.toMatchObject(refused);
    store.active = true;
    store.sessions.delete('ses_1');
    await expect(strategies.token(token())).rejects.toMatchObject(refused);
  });

  it('records that the pair of a refresh has arrived', async () => {
    const { strategies, store, token } = stage();
    store.sessions.set('ses_1', { ...sessionOf(1), rotatedAt: AT });
    await strategies.token(token());
    expect(store.confirmed).toEqual([1]);
  });

  it('passes on errors of the store', async () => {
    const { strategies, store, token } = stage();
    store.away = true;
    await expect(strategies.token(token())).rejects.toBe(away);
  });
});

describe('the strategy for API keys', () => {
  it('calls the directory with the address of the request, and passes on its result or error', async () => {
    const { strategies } = stage();
    const answers = await Promise.all([strategies.apiKey('es_a', '192.0.2.1'), strategies.apiKey('es_b', '192.0.2.2')]);
    expect(answers).toEqual([
      { id: 'es_a', kind: 'api-key', userId: '192.0.2.1' },
      { id: 'es_b', kind: 'api-key', userId: '192.0.2.2' },
    ]);
    await expect(strategies.apiKey('es_bad', '')).rejects.toBe(away);
    await expect(strategies.apiKey('', '')).rejects.toMatchObject(refused);
  });
});
