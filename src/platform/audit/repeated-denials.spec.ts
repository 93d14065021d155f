import { auditedBy, type AuditRecord } from './audit-record.js';
import { RepeatedDenials } from './repeated-denials.js';

const denial = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  ...auditedBy({ id: 'usr_1', correlationId: 'c', traceparent: null, tracestate: null }),
  tenantId: 'acme',
  action: 'access.denied',
  outcome: 'denied',
  reason: 'event:read',
  resource: 'tenants/acme',
  ...fields,
});
const anonymous = (address: string, fields: Partial<AuditRecord> = {}): AuditRecord =>
  denial({ actorKind: 'anonymous', actorId: 'anonymous', address, ...fields });

/** The number of denials that became records of their own. */
const admitted = (denials: RepeatedDenials, count: number, record: (i: number) => AuditRecord, now = 1): number =>
  Array.from({ length: count }, (_, i) => denials.admit(record(i), now)).filter(Boolean).length;

describe('repeated denials', () => {
  it('are separate records ten times a minute, and one with their number for the rest of it', () => {
    const denials = new RepeatedDenials();
    const own = Array.from({ length: 25 }, (_, i) => denials.admit(denial(), i));
    expect(own.filter(Boolean)).toHaveLength(10);
    expect(denials.due(59_999)).toEqual([]);
    expect(denials.due(60_000)).toMatchObject([{ ...denial(), occurredAt: 10, times: 15 }]);
    expect(denials.due(60_001)).toEqual([]);
    expect(denials.watching).toBe(false);
    expect(denials.admit(denial(), 60_002)).toBe(true);
  });

  it('are counted per actor, whatever they request from wherever: the count names the common part of the paths', () => {
    const denials = new RepeatedDenials();
    const elsewhere = (i: number): AuditRecord =>
      denial({ resource: `tenants/acme/namespaces/shop/topics/t${i}`, address: `192.0.2.${i % 200}` });
    expect(admitted(denials, 2_000, elsewhere)).toBe(10);
    expect(denials.due(60_001)).toMatchObject([{ times: 1_990, resource: 'tenants/acme/namespaces/shop' }]);
    expect(admitted(denials, 12, (i) => denial({ resource: `users/${i}` }), 60_002)).toBe(10);
    expect(denials.due(120_002)).toMatchObject([{ times: 2, resource: 'system' }]);
  });

  it('are counted by action and reason once there are more than ten, so that the attempts remain visible', () => {
    const denials = new RepeatedDenials();
    const reasons = ['event:read', 'event:publish', 'topic:list'];
    expect(admitted(denials, 40, (i) => denial({ reason: reasons[i % 3]! }))).toBe(10);
    expect(denials.due(60_001)).toMatchObject([
      { reason: 'event:read', times: 10 },
      { reason: 'event:publish', times: 10 },
      { reason: 'topic:list', times: 10 },
    ]);
  });

  it('of a new kind are recorded at once, however many there were before', () => {
    const denials = new RepeatedDenials();
    admitted(denials, 100, () => denial());
    expect(admitted(denials, 5, () => denial({ reason: 'tenant:delete' }))).toBe(1);
    expect(denials.due(60_001)).toMatchObject([{ times: 90 }, { reason: 'tenant:delete', times: 4 }]);
  });

  it('are separated by tenant and actor; successes are never counted', () => {
    const denials = new RepeatedDenials();
    const others = [{}, { actorId: 'usr_2' }, { tenantId: 'z' }];
    for (const fields of others) expect(admitted(denials, 11, () => denial(fields))).toBe(10);
    expect(admitted(denials, 20, () => denial({ outcome: 'success' }))).toBe(20);
  });

  it('of clients without credentials are counted by address, for IPv6 by /64', () => {
    const denials = new RepeatedDenials();
    const refused = { action: 'auth.refused' };
    expect(
      admitted(denials, 100, (i) => anonymous(`2001:db8:1:2::${i}`, { ...refused, resource: `api-keys/${i}` })),
    ).toBe(10);
    expect(admitted(denials, 11, () => anonymous('192.0.2.1', refused))).toBe(10);
    expect(admitted(denials, 11, () => anonymous('::ffff:192.0.2.1', refused))).toBe(0);
  });

  it('count failed logins for each account', () => {
    const denials = new RepeatedDenials();
    const failed = (i: number): AuditRecord => anonymous('::1', { outcome: 'failed', resource: `users/usr_${i % 5}` });
    expect(admitted(denials, 100, failed)).toBe(50);
    expect(denials.due(60_001)).toHaveLength(5);
  });

  it('keep no more input of a client than a record has room for', () => {
    const denials = new RepeatedDenials();
    admitted(denials, 11, () => denial({ resource: `tenants/${'x'.repeat(9_000)}`, userAgent: 'y'.repeat(9_000) }));
    expect(Buffer.byteLength(JSON.stringify(denials.due(60_001)))).toBeLessThan(2_500);
  });

  it('lose no count when there are more than are tracked, or when a new minute begins', () => {
    const denials = new RepeatedDenials();
    admitted(denials, 12, () => denial());
    for (let i = 0; i < 5_000; i++) denials.admit(denial({ actorId: `usr_r${i}` }), 2);
    expect(denials.due(3)).toEqual([expect.objectContaining({ times: 2 })]);
    admitted(denials, 12, () => denial({ actorId: 'usr_r4999' }), 3);
    expect(denials.admit(denial({ actorId: 'usr_r4999' }), 70_000)).toBe(true);
    expect(denials.due(70_000)).toEqual([expect.objectContaining({ times: 3 })]);
  });
});
