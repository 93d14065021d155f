import { InvitationQuota } from './invitation-quota.js';

let now: number;
let quota: InvitationQuota;
beforeEach(() => {
  now = 1_000;
  quota = new InvitationQuota({ now: () => now });
});

/** Seconds to wait; 0: it was accepted. */
function take(tenantId: string, email: string): number {
  try {
    quota.take(tenantId, email);
    return 0;
  } catch (error) {
    const { code, extensions } = error as { code: string; extensions: { retryAfterSeconds: number } };
    return code === 'invitation-throttled' ? extensions.retryAfterSeconds : Number.NaN;
  }
}

describe('invitations of a tenant', () => {
  it('are limited to three an hour for one e-mail, whatever another tenant sends there', () => {
    expect([1, 2, 3, 4].map(() => take('acme', 'jane@example.test'))).toEqual([0, 0, 0, 3_600]);
    expect([take('acme', 'joe@example.test'), take('other', 'jane@example.test')]).toEqual([0, 0]);
    now += 3_600_000;
    expect(take('acme', 'jane@example.test')).toBe(0);
  });

  it('are limited to a hundred an hour', () => {
    for (let n = 0; n < 99; n++) expect(take('acme', `p${n}@example.test`)).toBe(0);
    now += 600_000;
    expect([take('acme', 'last@example.test'), take('acme', 'one-more@example.test')]).toEqual([0, 3_000]);
    expect(take('other', 'last@example.test')).toBe(0);
  });

  it('report what is left, for the tenant and for the e-mail', () => {
    take('acme', 'jane@example.test');
    now += 600_000;
    expect(quota.take('acme', 'jane@example.test')).toEqual([
      { policy: 'invitations', quota: 100, windowSeconds: 3_600, remaining: 98, resetSeconds: 3_000 },
      { policy: 'invitations-recipient', quota: 3, windowSeconds: 3_600, remaining: 1, resetSeconds: 3_000 },
    ]);
  });
});
