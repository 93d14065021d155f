import { KeyMissThrottle } from './key-miss-throttle.js';

const LIMIT = 3;
let now: number;
let throttle: KeyMissThrottle;
beforeEach(() => {
  now = 1_000;
  throttle = new KeyMissThrottle({ now: () => now }, { apiKeyMissesPerMinute: LIMIT });
});

const ask = (address: string, answer?: object): Promise<unknown> =>
  throttle.countLookup(address, Promise.resolve(answer));
/** Seconds to wait; 0: none. */
function wait(address: string): number {
  try {
    throttle.requireCapacity(address, 'key_1');
    return 0;
  } catch (error) {
    const { code, extensions } = error as { code: string; extensions: { retryAfterSeconds: number } };
    return code === 'api-key-throttled' ? extensions.retryAfterSeconds : Number.NaN;
  }
}

describe('lookups of keys that do not exist', () => {
  it('are accepted up to the limit, and refused for the rest of the minute', async () => {
    for (let n = 0; n < LIMIT; n++) {
      expect(wait('203.0.113.1')).toBe(0);
      await ask('203.0.113.1');
      now += 1_000;
    }
    expect([wait('203.0.113.1'), wait('203.0.113.2')]).toEqual([57, 0]);
    now += 57_000;
    expect(wait('203.0.113.1')).toBe(0);
  });

  it('are counted per /64 network for IPv6, and per address for IPv4 in either notation', async () => {
    for (const host of ['1', '2', 'ffff:1']) await ask(`2001:db8::${host}`);
    expect([wait('2001:db8::9'), wait('2001:db8:0:1::9')]).toEqual([60, 0]);
    for (const address of ['203.0.113.1', '::ffff:203.0.113.1', '203.0.113.1']) await ask(address);
    expect(wait('::ffff:203.0.113.1')).toBe(60);
  });

  it('count only if no key is found: valid keys of one network are not guesses', async () => {
    for (let n = 0; n < 10 * LIMIT; n++) await ask('203.0.113.1', {});
    await expect(throttle.countLookup('203.0.113.1', Promise.reject(new Error('the store is away')))).rejects.toThrow(
      'away',
    );
    expect(wait('203.0.113.1')).toBe(0);
  });

  it('are limited to a thousand at once for one address', async () => {
    const store = Promise.withResolvers<object>();
    const questions = Array.from({ length: 1_000 }, () => throttle.countLookup('203.0.113.1', store.promise));
    expect([wait('203.0.113.1'), wait('203.0.113.2')]).toEqual([1, 0]);
    store.resolve({});
    await Promise.all(questions);
    expect(wait('203.0.113.1')).toBe(0);
  });
});
