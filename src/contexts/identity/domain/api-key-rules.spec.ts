import { checkApiKey, KEYS_PER_USER_MAX, type OwnerFacts } from './api-key-rules.js';

const check = (facts: Partial<OwnerFacts>, status = 'issued', version = 1): void => {
  const changed = { before: { status: 'none' }, state: { status }, version, recordedAt: 0, events: [] };
  checkApiKey({ ownerExists: true, keys: 0, ...facts }, changed, { userId: 'usr_1' });
};

describe('a key that gets a secret', () => {
  it('must have an owner who exists', () => {
    expect(() => check({ ownerExists: false })).toThrow(expect.objectContaining({ code: 'user-not-found' }));
  });

  it('is one of at most fifty', () => {
    expect(() => check({ keys: KEYS_PER_USER_MAX - 1 })).not.toThrow();
    expect(() => check({ keys: KEYS_PER_USER_MAX })).toThrow(
      expect.objectContaining({ code: 'api-key-limit-reached' }),
    );
  });

  it('may be rotated by a user who has fifty', () => {
    expect(() => check({ keys: KEYS_PER_USER_MAX }, 'issued', 2)).not.toThrow();
  });
});

it('a key can be revoked whatever the state of its owner', () => {
  expect(() => check({ ownerExists: false, keys: KEYS_PER_USER_MAX }, 'revoked', 2)).not.toThrow();
});
