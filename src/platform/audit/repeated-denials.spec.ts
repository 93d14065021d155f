import { auditedBy, type AuditRecord } from './audit-record.js';
import { RepeatedDenials } from './repeated-denials.js';

const denial = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  ...auditedBy({ id: 'usr_1', correlationId: 'c', traceparent: null }),
  tenantId: 'acme',
  action: 'access.denied',
  outcome: 'denied',
  resource: 'tenants/acme',
  ...fields,
});

describe('repeated denials', () => {
  it('are records of their own ten times a minute, and one with their number for the rest of it', () => {
    const denials = new RepeatedDenials();
    const admitted = Array.from({ length: 25 }, (_, i) => denials.admit(denial(), i));
    expect(admitted.filter(Boolean)).toHaveLength(10);
    expect(denials.due(59_999)).toEqual([]);
    expect(denials.due(60_000)).toEqual([{ record: denial(), occurredAt: 10, times: 15 }]);
    expect(denials.due(60_001)).toEqual([]);
    expect(denials.watching).toBe(false);
    expect(denials.admit(denial(), 60_002)).toBe(true);
  });

  it('are told apart by actor, address, action and resource; what succeeds is never counted', () => {
    const denials = new RepeatedDenials();
    const others = [
      {},
      { actorId: 'usr_2' },
      { address: '::1' },
      { action: 'x' },
      { resource: 'y' },
      { tenantId: 'z' },
    ];
    for (let i = 0; i < 10; i++) for (const fields of others) expect(denials.admit(denial(fields), 1)).toBe(true);
    for (const fields of others) expect(denials.admit(denial(fields), 1)).toBe(false);
    for (let i = 0; i < 20; i++) expect(denials.admit(denial({ outcome: 'success' }), 1)).toBe(true);
  });

  it('lose no count when there are more of them than are watched, or when a new minute begins', () => {
    const denials = new RepeatedDenials();
    for (let i = 0; i < 12; i++) denials.admit(denial(), 1);
    for (let i = 0; i < 10_000; i++) denials.admit(denial({ resource: `r${i}` }), 2);
    expect(denials.due(3)).toEqual([expect.objectContaining({ times: 2 })]);
    for (let i = 0; i < 12; i++) denials.admit(denial({ resource: 'r9999' }), 3);
    expect(denials.admit(denial({ resource: 'r9999' }), 70_000)).toBe(true);
    expect(denials.due(70_000)).toEqual([expect.objectContaining({ times: 3 })]);
  });
});
