import { hash } from 'node:crypto';
import { jest } from '@jest/globals';
import { DomainError } from '../../../../kernel/domain-error.js';
import type { ManagementWatch } from '../../../../platform/event-log/index.js';
import { newApiKey } from '../../domain/api-key-format.js';
import { ApiKeyDirectory } from './api-key-directory.js';
import type { ApiKeyStore, StoredKey } from '../api-keys/ports.js';
import { KeyMissThrottle } from './key-miss-throttle.js';
import type { ApiKeyUsage } from '../api-keys/api-key-usage.js';

const FROM = '203.0.113.9';
const MISSES_MAX = 20;
const THROTTLED =
  'refused: api-key-throttled Too many unknown API keys come from this address; wait before the next one.';
const ONE_ANSWER = 'The credentials are missing, wrong or expired.';

/** A store whose results can be held back, and a watch that can be interrupted. */
class Stage {
  readonly stored = new Map<string, StoredKey>();
  readonly asked: string[][] = [];
  readonly used: string[] = [];
  now = 1_000;
  ageMs = 0;
  /** Resolves what is held back. */
  release: (() => void) | undefined;
  private held: Promise<void> | undefined;
  away = false;

  readonly directory = new ApiKeyDirectory(
    {
      forAuthentication: async (ids: readonly string[]) => {
        this.asked.push([...ids]);
        if (this.away) throw new Error('the store is away');
        // Read before it is held back: the result does not contain later changes.
        const found = ids.flatMap((id) => this.stored.get(id) ?? []);
        await this.held;
        return found;
      },
    } as unknown as ApiKeyStore,
    { note: (keyId: string) => void this.used.push(keyId) } as unknown as ApiKeyUsage,
    new KeyMissThrottle({ now: () => this.now }, { apiKeyMissesPerMinute: MISSES_MAX }),
    this.watch(),
    { now: () => this.now },
  );

  private watch(): ManagementWatch {
    return Object.defineProperty({}, 'ageMs', { get: () => this.ageMs }) as unknown as ManagementWatch;
  }

  add(attributes: Partial<StoredKey> = {}): { id: string; key: string; secret: string } {
    const made = newApiKey('live');
    this.stored.set(made.id, {
      keyId: made.id,
      userId: 'usr_1',
      version: 1,
      scopes: null,
      actions: null,
      allowedCidrs: null,
      expiresAt: null,
      digest: hash('sha256', made.secret),
      previousDigest: null,
      previousEndsAt: null,
      ...attributes,
    });
    return made;
  }

  hold(): void {
    this.held = new Promise((resolve) => (this.release = resolve));
  }

  /** `ok`, or why it was refused. */
  async verify(key: string, address = FROM): Promise<string> {
    try {
      await (this.directory.recall(key, address) ?? this.directory.verify(key, address));
      return 'ok';
    } catch (error) {
      if (!(error instanceof DomainError)) return (error as Error).message;
      if (error.code !== 'unauthenticated' || error.message !== ONE_ANSWER)
        return `refused: ${error.code} ${error.message}`;
      return (error.cause as { reason: string }).reason;
    }
  }
}

const addressOf = (n: number): string => `198.18.${n >> 8}.${n & 255}`;

let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => jest.restoreAllMocks());

describe('the directory of API keys', () => {
  it('queries the store once for a key, and then returns without a promise', async () => {
    const { id, key } = stage.add({ scopes: [{ tenant: 'acme' }], actions: ['event:*'] });
    expect(await stage.verify(key)).toBe('ok');
    expect(stage.directory.recall(key, FROM)).toEqual({
      id,
      kind: 'api-key',
      userId: 'usr_1',
      keyVersion: 1,
      ceiling: { scopes: [{ tenant: 'acme' }], actions: ['event:*'] },
    });
    expect(stage.asked).toEqual([[id]]);
    expect(stage.used).toEqual([id, id]);
  });

  it('gives a key without bounds no ceiling', async () => {
    const { key } = stage.add();
    expect(await stage.directory.verify(key, FROM)).not.toHaveProperty('ceiling');
  });

  it('refuses noise without a query', async () => {
    const { key } = stage.add();
    for (const noise of [
      '',
      'es_live_x',
      key.slice(1),
      `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`,
      `${key} `,
    ])
      expect(await stage.verify(noise)).toBe('malformed');
    expect(stage.asked).toEqual([]);
  });

  it('refuses a valid id with another secret, known or not, and does not count it', async () => {
    const { id, key } = stage.add();
    const forged = newApiKey('live', id).key;
    expect(await stage.verify(forged)).toBe('wrong-secret');
    await stage.verify(key);
    expect(await stage.verify(forged)).toBe('wrong-secret');
    expect(stage.used).toEqual([id]);
  });

  it('checks the expiry of a key and of its old secret on every request', async () => {
    const { id, key } = stage.add({ expiresAt: 3_000, previousEndsAt: 2_000 });
    const oldKey = newApiKey('live', id);
    stage.stored.set(id, { ...stage.stored.get(id)!, previousDigest: hash('sha256', oldKey.secret) });
    expect([await stage.verify(key), await stage.verify(oldKey.key)]).toEqual(['ok', 'ok']);
    stage.now = 1_999;
    expect([await stage.verify(key), await stage.verify(oldKey.key)]).toEqual(['ok', 'ok']);
    stage.now = 2_000;
    expect([await stage.verify(key), await stage.verify(oldKey.key)]).toEqual(['ok', 'rotated']);
    stage.now = 3_000;
    expect([await stage.verify(key), await stage.verify(oldKey.key)]).toEqual(['expired', 'rotated']);
    expect(stage.asked).toHaveLength(1);
  });

  it('checks the address on every request', async () => {
    const { key } = stage.add({ allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'] });
    const answers = [];
    for (const address of [FROM, '203.0.114.1', '::ffff:203.0.113.1', '2001:db8::1', '2001:db9::1', FROM, ''])
      answers.push(await stage.verify(key, address));
    expect(answers).toEqual(['ok', 'address', 'ok', 'ok', 'address', 'ok', 'address']);
    expect(stage.asked).toHaveLength(1);
  });

  it('forgets a key after an event about it, and all keys of a user after an event about the user', async () => {
    const [mine, other] = [stage.add(), stage.add({ userId: 'usr_2' })];
    expect([await stage.verify(mine.key), await stage.verify(other.key)]).toEqual(['ok', 'ok']);
    const stored = stage.stored.get(other.id)!;
    stage.stored.clear();
    stage.directory.forget(mine.id);
    expect([await stage.verify(mine.key), await stage.verify(other.key)]).toEqual(['unknown', 'ok']);
    stage.directory.forgetOwner('usr_2');
    expect(await stage.verify(other.key)).toBe('unknown');
    stage.stored.set(other.id, { ...stored, userId: 'usr_2' });
    stage.directory.forgetOwner('usr_2');
    expect(await stage.verify(other.key)).toBe('ok');
  });

  it('does not cache what it read before an event that arrived meanwhile', async () => {
    const { id, key } = stage.add();
    stage.hold();
    const early = stage.verify(key);
    stage.stored.delete(id);
    stage.directory.forget(id);
    stage.release!();
    // This lookup began before the revocation, the next one after it.
    expect(await early).toBe('ok');
    expect(await stage.verify(key)).toBe('unknown');
  });

  it('returns no result of a query that began before the call', async () => {
    const { id, key } = stage.add();
    stage.hold();
    const early = stage.verify(key);
    stage.stored.delete(id);
    const late = stage.verify(key);
    stage.release!();
    expect([await early, await late]).toEqual(['ok', 'unknown']);
  });

  it('queries the store while events may be missing, once a second for a key, and refuses if it is unavailable', async () => {
    const { key } = stage.add();
    await stage.verify(key);
    const clock = jest.spyOn(performance, 'now');
    const real = performance.now();
    clock.mockReturnValue(real + 1_001);
    stage.ageMs = 1_001;
    expect(await stage.verify(key)).toBe('ok');
    expect(await stage.verify(key)).toBe('ok');
    expect(stage.asked).toHaveLength(2);
    stage.away = true;
    clock.mockReturnValue(real + 2_003);
    expect(await stage.verify(key)).toBe('the store is away');
    stage.ageMs = 0;
    expect(await stage.verify(key)).toBe('ok');
  });

  it('caches 10,000 unknown ids, and drops the first for the next', async () => {
    const ids = Array.from({ length: 10_001 }, () => newApiKey('live').key);
    // Each from its own address: no address is refused for it.
    const ask = (n: number): Promise<string> => stage.verify(ids[n]!, `10.0.${n >> 8}.${n & 255}`);
    for (const n of [0, 1]) await ask(n);
    await Promise.all(ids.slice(2, -1).map((_, i) => ask(i + 2)));
    const before = stage.asked.length;
    expect([await ask(0), await ask(1), stage.asked.length]).toEqual(['unknown', 'unknown', before]);
    expect([await ask(10_000), await ask(1), stage.asked.length]).toEqual(['unknown', 'unknown', before + 1]);
    expect([await ask(0), stage.asked.length]).toEqual(['unknown', before + 2]);
  });

  it('caches at most 50,000 keys; those in use stay', async () => {
    const [busy, idle] = [stage.add(), stage.add()];
    await stage.verify(busy.key);
    await stage.verify(idle.key);
    stage.directory.verify(busy.key, FROM);
    await Promise.all(Array.from({ length: 49_999 }, (_, n) => stage.verify(stage.add().key, addressOf(n))));
    const before = stage.asked.length;
    expect([await stage.verify(busy.key), stage.asked.length - before]).toEqual(['ok', 0]);
    expect([await stage.verify(idle.key), stage.asked.length - before]).toEqual(['ok', 1]);
  });
});

describe('invented keys', () => {
  const inventions = (count: number): string[] => Array.from({ length: count }, () => newApiKey('live').key);
  const count = (answers: readonly string[]): Record<string, number> =>
    Object.fromEntries([...Map.groupBy(answers, (answer) => answer)].map(([answer, all]) => [answer, all.length]));

  it('from many addresses cause few queries, and are cached within bounds', async () => {
    const { key } = stage.add();
    const invented = inventions(10_000);
    const answers = await Promise.all([...invented, key].map((one, n) => stage.verify(one, addressOf(n))));
    expect(count(answers)).toEqual({ unknown: 10_000, ok: 1 });
    expect(stage.asked.length).toBeLessThanOrEqual(12);
    const before = stage.asked.length;
    for (const [n, one] of [...invented.entries()].slice(-5_000))
      expect(await stage.verify(one, addressOf(n))).toBe('unknown');
    expect(stage.asked).toHaveLength(before);
  });

  it('from one address cause at most one more query, and then none for the rest of the minute', async () => {
    const answers = await Promise.all(inventions(10_000).map((one) => stage.verify(one)));
    expect(count(answers)).toEqual({ unknown: 1_000, [THROTTLED]: 9_000 });
    expect(stage.asked.length).toBeLessThanOrEqual(2);
    const before = stage.asked.length;
    for (const one of inventions(100)) expect(await stage.verify(one)).toBe(THROTTLED);
    expect(stage.asked).toHaveLength(before);
    stage.now += 60_000;
    expect(await stage.verify(inventions(1)[0]!)).toBe('unknown');
  });

  it('do not lock out clients with a key that was seen before, even if it has changed since', async () => {
    const [known, unseen] = [stage.add(), stage.add()];
    await stage.verify(known.key);
    for (const one of inventions(MISSES_MAX)) expect(await stage.verify(one)).toBe('unknown');
    expect([await stage.verify(known.key), await stage.verify(unseen.key)]).toEqual(['ok', THROTTLED]);
    stage.directory.forget(known.id);
    expect(await stage.verify(known.key)).toBe('ok');
    stage.directory.forgetOwner('usr_1');
    expect(await stage.verify(known.key)).toBe('ok');
    expect(await stage.verify(unseen.key, '203.0.113.10')).toBe('ok');
    expect(await stage.verify(unseen.key)).toBe('ok');
  });

  it('get the same response beyond the limit, whether there is such an id or not', async () => {
    const { id, key } = stage.add();
    await stage.verify(key);
    const guessed = newApiKey('live', id).key;
    for (const one of inventions(MISSES_MAX)) await stage.verify(one);
    expect([await stage.verify(guessed), await stage.verify(inventions(1)[0]!)]).toEqual([THROTTLED, THROTTLED]);
  });

  it('of one id count as one miss, so that a client with a revoked key does not use up the limit of its network', async () => {
    const { id, key } = stage.add();
    await stage.verify(key);
    stage.stored.delete(id);
    stage.directory.forget(id);
    for (let n = 0; n < 3 * MISSES_MAX; n++) expect(await stage.verify(key)).toBe('unknown');
    expect(await stage.verify(stage.add().key)).toBe('ok');
  });
});
