import {
  apiKeyAggregate,
  createApiKey,
  LIFETIME_MS_MAX,
  revokeApiKey,
  rotateApiKey,
  withCreation,
  type ApiKeyEvent,
  type ApiKeyState,
} from './api-key.js';

const NOW = 1_000_000_000;
const DAY_MS = 86_400_000;
const ref = { userId: 'usr_1', keyId: 'key_1' };
const facts = { scopes: null, actions: null, allowedCidrsCount: 0, createdAt: NOW, expiresAt: NOW + 1_000 };
const created: ApiKeyEvent = { type: 'api-key.created', data: { ...ref, ...facts } };
const revoked: ApiKeyEvent = { type: 'api-key.revoked', data: ref };
const given = (...events: ApiKeyEvent[]): ApiKeyState =>
  events.reduce((state, event) => apiKeyAggregate.evolve(state, event, { recordedAt: NOW }), apiKeyAggregate.initial);
const rotation = { graceMs: 500, expiresAt: undefined, knowsLast: false };

describe('an API key', () => {
  it('is created with an expiry within 366 days, or with none', () => {
    expect(createApiKey(given(), ref, facts)).toEqual([created]);
    for (const expiresAt of [null, NOW + 1, NOW + LIFETIME_MS_MAX])
      expect(createApiKey(given(), ref, { ...facts, expiresAt })).toHaveLength(1);
    for (const expiresAt of [NOW, NOW - 1, NOW + LIFETIME_MS_MAX + 1])
      expect(() => createApiKey(given(), ref, { ...facts, expiresAt })).toThrow('expiresAt must be');
  });

  it('is rotated: the old secret works for the grace period, but never beyond its own expiry', () => {
    const rotated = (graceMs: number) => rotateApiKey(given(created), ref, { ...rotation, graceMs }, NOW);
    expect(rotated(500)).toEqual([
      { type: 'api-key.rotated', data: { ...ref, previousEndsAt: NOW + 500, expiresAt: NOW + 1_000 } },
    ]);
    expect(rotated(0)[0]!.data).toMatchObject({ previousEndsAt: NOW });
    expect(rotated(5_000)[0]!.data).toMatchObject({ previousEndsAt: NOW + 1_000 });
  });

  it('that has expired can be rotated only with a new expiry, and its old secret stays invalid', () => {
    const later = NOW + 2_000;
    expect(() => rotateApiKey(given(created), ref, rotation, later)).toThrow('has expired');
    const [event] = rotateApiKey(given(created), ref, { ...rotation, expiresAt: later + 1 }, later);
    expect(event!.data).toMatchObject({ previousEndsAt: NOW + 1_000, expiresAt: later + 1 });
    expect(() => rotateApiKey(given(created), ref, { ...rotation, expiresAt: later }, later)).toThrow('in the future');
  });

  it('is not rotated again within the grace period of the previous secret, except without a grace period', () => {
    const made = { ...created, data: { ...created.data, expiresAt: null } } as ApiKeyEvent;
    const [first] = rotateApiKey(given(made), ref, { ...rotation, graceMs: DAY_MS }, NOW);
    const again = (graceMs: number, afterMs: number) => () =>
      rotateApiKey(given(made, first!), ref, { ...rotation, graceMs }, NOW + afterMs);
    for (const afterMs of [0, 10_000, DAY_MS - 1])
      expect(again(1, afterMs)).toThrow(
        expect.objectContaining({
          code: 'api-key-rotating',
          extensions: { retryAfterSeconds: (DAY_MS - afterMs) / 1_000 },
        }),
      );
    expect(again(1, DAY_MS)()).toHaveLength(1);
    expect(again(0, 10_000)()[0]!.data).toMatchObject({ previousEndsAt: NOW + 10_000 });
  });

  it.each([0, 1, DAY_MS])(
    'does not end a secret of the last ten seconds unless the caller knows of it, whatever its grace period: %i ms',
    (graceMs) => {
      const made = { ...created, data: { ...created.data, expiresAt: null } } as ApiKeyEvent;
      const [first] = rotateApiKey(given(made), ref, { ...rotation, graceMs }, NOW);
      const again =
        (afterMs: number, knowsLast = false) =>
        () =>
          rotateApiKey(given(made, first!), ref, { ...rotation, graceMs: 0, knowsLast }, NOW + afterMs);
      const wait = (retryAfterSeconds: number) =>
        expect.objectContaining({ code: 'api-key-rotating', extensions: { retryAfterSeconds } });
      expect(again(0)).toThrow(wait(10));
      expect(again(9_999)).toThrow(wait(0.001));
      expect(again(10_000)()).toHaveLength(1);
      // The clock has been corrected meanwhile: no caller waits for an hour.
      expect(again(-3_600_000)()).toHaveLength(1);
      expect(again(0, true)()).toHaveLength(1);
    },
  );

  it('that is revoked, or belongs to another user, does not exist', () => {
    expect(revokeApiKey(given(created), ref)).toEqual([revoked]);
    const other = { ...ref, userId: 'usr_2' };
    for (const [state, name] of [
      [given(created, revoked), ref],
      [given(), ref],
      [given(created), other],
    ] as const) {
      expect(() => revokeApiKey(state, name)).toThrow('no API key');
      expect(() => rotateApiKey(state, name, rotation, NOW)).toThrow('no API key');
    }
  });

  it('older than its stream gets its created event with its first change', () => {
    const decide = (state: ApiKeyState) => revokeApiKey(state, ref);
    expect(withCreation(given(), ref, facts, decide)).toEqual([created, revoked]);
    expect(withCreation(given(created), ref, facts, decide)).toEqual([revoked]);
    expect(() => withCreation(given(created, revoked), ref, facts, decide)).toThrow('no API key');
  });
});
