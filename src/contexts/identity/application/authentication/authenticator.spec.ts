import { Clock } from '../../../../kernel/clock.js';
import { DomainError } from '../../../../kernel/domain-error.js';
import type { ManagementWatch } from '../../../../platform/event-log/index.js';
import type { Principal } from '../../../../kernel/access.js';
import { Authenticator } from './authenticator.js';
import type { ApiKeyDirectory } from './api-key-directory.js';
import type { CredentialStrategies } from './ports.js';
import { ForgetTokens, ForgetTokensHandler } from './forget-credentials.js';
import type { SessionStore } from '../sessions/ports.js';
import { unauthenticated } from '../../domain/identity-errors.js';

const MINUTE = 60_000;
const ADDRESS = '192.0.2.1';
const KEY_PRINCIPAL = { id: 'key_1', kind: 'api-key', userId: 'usr_1' } as const;

class TestClock extends Clock {
  at = Date.parse('2026-11-23T12:00:00Z');

  now(): number {
    return this.at;
  }
}

/** The dependencies of the authenticator, counted and controllable. */
function stage() {
  const clock = new TestClock();
  const watch = { ageMs: 0 };
  const principal: Principal = { id: 'usr_1', kind: 'user', userId: 'usr_1', sessionId: 'ses_1' };
  const verified = { principal, expiresAt: clock.at + 10 * MINUTE, lastUsedAt: clock.at };
  const store = { live: true, away: false, touched: 0, verified: [] as string[] };
  const ask = <T>(answer: () => T): Promise<T> => {
    if (store.away) return Promise.reject(new DomainError('store-unavailable', 'unavailable', 'away', 'away'));
    return Promise.resolve().then(answer);
  };
  const verify = <T>(credential: string, answer: T): Promise<T> =>
    ask(() => {
      store.verified.push(credential);
      if (!store.live || clock.at >= verified.expiresAt) throw unauthenticated();
      return answer;
    });
  const strategies: CredentialStrategies = {
    token: (token) => verify(token, verified),
    apiKey: (key) => verify(key, KEY_PRINCIPAL),
  };
  const authenticator = new Authenticator(
    strategies,
    { recall: (key: string) => (key === 'es_known' ? KEY_PRINCIPAL : undefined) } as unknown as ApiKeyDirectory,
    { touch: () => ask(() => void store.touched++) } as unknown as SessionStore,
    watch as unknown as ManagementWatch,
    clock,
  );
  const headers = { authorization: 'Bearer a.b.c' };
  const dropping = new ForgetTokensHandler(authenticator);
  const drop = (of: ForgetTokens['of']): void => void dropping.execute(new ForgetTokens(of));
  return { authenticator, clock, headers, drop, store, watch };
}

const refused = { code: 'unauthenticated' };

describe('a verdict', () => {
  it('is found synchronously, until the token expires', async () => {
    const { authenticator, clock, headers, store } = stage();
    await expect(authenticator.authenticate(headers, ADDRESS)).resolves.toMatchObject({
      userId: 'usr_1',
      sessionId: 'ses_1',
    });
    for (let n = 0; n < 100; n++)
      expect(authenticator.authenticate(headers, ADDRESS)).toMatchObject({ userId: 'usr_1' });
    expect(store.verified).toHaveLength(1);
    clock.at += 10 * MINUTE;
    await expect(authenticator.authenticate(headers, ADDRESS)).rejects.toMatchObject(refused);
  });

  it.each([
    ['its session ends', { sessionId: 'ses_1' }],
    ['its user changes', { userId: 'usr_1' }],
    ['events were missed', 'everybody'],
  ] as const)('is dropped the moment that %s', async (_, concerned) => {
    const { authenticator, headers, drop, store } = stage();
    await authenticator.authenticate(headers, ADDRESS);
    drop({ sessionId: 'another' });
    drop({ userId: 'another' });
    expect(authenticator.authenticate(headers, ADDRESS)).toMatchObject({ userId: 'usr_1' });
    store.live = false;
    drop(concerned);
    await expect(authenticator.authenticate(headers, ADDRESS)).rejects.toMatchObject(refused);
  });

  it('that a change overtakes is used for its request and not cached', async () => {
    const { authenticator, headers, drop, store } = stage();
    const early = authenticator.authenticate(headers, ADDRESS);
    drop({ sessionId: 'ses_1' });
    await expect(early).resolves.toMatchObject({ userId: 'usr_1' });
    store.live = false;
    await expect(authenticator.authenticate(headers, ADDRESS)).rejects.toMatchObject(refused);
  });

  it('is not used after the log was silent for a second: the store is queried, or the request is refused', async () => {
    const { authenticator, headers, store, watch } = stage();
    await authenticator.authenticate(headers, ADDRESS);
    watch.ageMs = 1_001;
    await expect(authenticator.authenticate(headers, ADDRESS)).resolves.toMatchObject({ userId: 'usr_1' });
    expect(store.verified).toHaveLength(2);
    store.away = true;
    await expect(authenticator.authenticate(headers, ADDRESS)).rejects.toMatchObject({
      code: 'authorization-stale',
    });
    watch.ageMs = 999;
    expect(authenticator.authenticate(headers, ADDRESS)).toMatchObject({ userId: 'usr_1' });
  });

  it('records the last use of its session every five minutes', async () => {
    const { authenticator, clock, headers, store } = stage();
    await authenticator.authenticate(headers, ADDRESS);
    for (let minute = 0; minute < 9; minute++) {
      clock.at += MINUTE;
      await authenticator.authenticate(headers, ADDRESS);
      await authenticator.authenticate(headers, ADDRESS);
    }
    await Promise.resolve();
    expect(store.touched).toBe(1);
  });
});

describe('a credential', () => {
  it.each([
    ['a token in any spelling of its scheme', { authorization: 'bEARER a.b.c' }, ['a.b.c']],
    ['a token behind two blanks', { authorization: 'Bearer  a.b.c' }, ['a.b.c']],
    ['a key', { 'x-api-key': 'es_new' }, ['es_new']],
    ['a key by its scheme, in any spelling', { authorization: 'apikey  es_new' }, ['es_new']],
    ['a key as a bearer token', { authorization: 'bearer es_new' }, ['es_new']],
    ['a known key', { authorization: 'APIKEY es_known' }, []],
  ])('is passed to its strategy if it is not cached: %s', async (_, headers, verified) => {
    const { authenticator, store } = stage();
    expect(await authenticator.authenticate(headers, ADDRESS)).toMatchObject({ userId: 'usr_1' });
    expect(store.verified).toEqual(verified);
  });

  it('is cached once, however its header is spelled', async () => {
    const { authenticator, headers, store } = stage();
    await authenticator.authenticate({ authorization: 'bearer   a.b.c' }, ADDRESS);
    for (const authorization of [headers.authorization, 'BEARER a.b.c', 'Bearer  a.b.c'])
      expect(authenticator.authenticate({ authorization }, ADDRESS)).toMatchObject({ userId: 'usr_1' });
    expect(store.verified).toHaveLength(1);
  });

  it.each([
    ['none', {}],
    ['an empty header', { authorization: '' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['two tokens', { authorization: 'Bearer a.b.c a.b.c' }],
    ['two keys', { 'x-api-key': ['es_known', 'es_known'] }],
    ['a token and a key', { authorization: 'Bearer a.b.c', 'x-api-key': 'es_known' }],
    ['more than 4 KiB', { authorization: `Bearer ${'a'.repeat(4_097)}` }],
    ['a key of more than 4 KiB', { 'x-api-key': 'a'.repeat(4_097) }],
  ])('is refused without a query: %s', (_, headers) => {
    const { authenticator, store } = stage();
    expect(() => authenticator.authenticate(headers as never, ADDRESS)).toThrow(expect.objectContaining(refused));
    expect(store.verified).toEqual([]);
  });
});
