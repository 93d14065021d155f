import { auditedBy, canonical, kindOf, STATES_BYTES_MAX, toRow, type AuditRecord } from './audit-record.js';

const actor = {
  id: 'key_1',
  correlationId: 'corr-1',
  traceparent: null,
  tracestate: null,
  origin: { address: '::1', userAgent: 'curl', route: 'POST /tenants', userId: 'usr_1' },
};
const record = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  ...auditedBy(actor),
  tenantId: 'acme',
  action: 'topic.created',
  outcome: 'success',
  resource: 'tenants/acme',
  ...fields,
});
const bytesOf = ({ before, after }: { before: string | null; after: string | null }): number =>
  Buffer.byteLength(before ?? '') + Buffer.byteLength(after ?? '');

describe('an audit record', () => {
  it('names the actor and origin; actions of the system have no origin', () => {
    expect(auditedBy(actor)).toEqual({
      actorKind: 'api-key',
      actorId: 'key_1',
      userId: 'usr_1',
      address: '::1',
      userAgent: 'curl',
      route: 'POST /tenants',
      correlationId: 'corr-1',
    });
    expect(auditedBy({ id: 'system', correlationId: 'c', traceparent: null, tracestate: null })).toMatchObject({
      actorKind: 'system',
      address: null,
      userId: null,
    });
    expect(['usr_1', 'key_1', 'system', 'anonymous', 'other'].map(kindOf)).toEqual([
      'user',
      'api-key',
      'system',
      'anonymous',
      'anonymous',
    ]);
  });

  it('stores states as JSON, including the contents of sets and maps', () => {
    const row = toRow(record({ before: null, after: { roles: new Set(['a']), by: new Map([['k', 1]]) } }), 5);
    expect(row).toMatchObject({ occurredAt: 5, before: null, after: '{"roles":["a"],"by":{"k":1}}', times: 1 });
    expect(row.auditId).toMatch(/^aud_/);
  });

  it.each(['"', '\\', '\u0001', 'ä', '€', '😀', '\ud800'])(
    'is cut with a mark if its states are large: %j',
    (character) => {
      const large = { text: character.repeat(40_000) };
      const row = toRow(record({ before: { small: true }, after: large }), 5);
      expect(bytesOf(row)).toBeLessThanOrEqual(STATES_BYTES_MAX);
      expect(JSON.parse(row.before!)).toEqual({ small: true });
      const bytes = Buffer.byteLength(JSON.stringify(large));
      expect(JSON.parse(row.after!)).toMatchObject(bytes > STATES_BYTES_MAX ? { cut: true, bytes } : large);
      const both = toRow(record({ before: large, after: large }), 5);
      expect(bytesOf(both)).toBeLessThanOrEqual(STATES_BYTES_MAX);
      expect(JSON.parse(both.after!)).toMatchObject({ cut: true });
    },
  );

  it('contains only what PostgreSQL returns unchanged: no NUL, no lone surrogate, nothing too long for an index', () => {
    const { userAgent, resource, reason } = toRow(
      record({ userAgent: 'a\0b\ud800c', resource: '€'.repeat(1_000), reason: 'x'.repeat(2_000) }),
      5,
    );
    expect(userAgent).toBe('ab\ufffdc');
    expect(Buffer.byteLength(resource)).toBeLessThanOrEqual(512);
    expect(resource).toMatch(/^€+…$/);
    expect(reason).toHaveLength(998);
  });

  it('is authenticated with every field', () => {
    const row = toRow(record({ before: { a: 1 }, after: { a: 2 }, reason: 'r' }), 5);
    const texts = Object.keys(row).map((field) => canonical({ ...row, [field]: 'changed' }));
    expect(new Set([...texts, canonical(row)]).size).toBe(Object.keys(row).length + 1);
  });
});
