import fc from 'fast-check';
import { API_KEY_FORMAT, newApiKey, parseApiKey } from './api-key-format.js';

describe('an API key', () => {
  it('is parsed into the parts that it was made of', () => {
    for (const environment of ['live', 'test'] as const) {
      const { id, secret, key } = newApiKey(environment);
      expect(parseApiKey(key)).toEqual({ id, secret });
      expect(key).toMatch(API_KEY_FORMAT);
      expect([id.length, secret.length, key.length]).toEqual([16, 43, 70]);
    }
  });

  it('with the same id has another secret', () => {
    const first = newApiKey('live');
    const second = newApiKey('live', first.id);
    expect(second.id).toBe(first.id);
    expect(second.secret).not.toBe(first.secret);
    expect(parseApiKey(second.key)).toEqual({ id: first.id, secret: second.secret });
  });

  it('with any one character changed, missing or added is invalid', () => {
    const { key } = newApiKey('live');
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
        fc.pre(other !== key[at]);
        expect(parseApiKey(key.slice(0, at) + other + key.slice(at + 1))).toBeUndefined();
        expect(parseApiKey(key.slice(0, at) + key.slice(at + 1))).toBeUndefined();
        expect(parseApiKey(key.slice(0, at) + other + key.slice(at))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    // The rest of a key of its own kind, with the checksum of the whole gone.
    expect(parseApiKey(key.replace('live', 'test'))).toBeUndefined();
  });

  it.each(['', 'es_live_', 'x'.repeat(70), 'x'.repeat(1_000_000), 'es_live_\u0000'])('is not %#', (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });

  it('is random in every place', () => {
    const keys = Array.from({ length: 500 }, () => newApiKey('live'));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(500);
    for (let at = 0; at < 43; at++) expect(new Set(keys.map(({ secret }) => secret[at])).size).toBeGreaterThan(40);
  });
});
