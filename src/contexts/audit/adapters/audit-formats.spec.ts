import type { AuditView } from '../../../platform/audit/index.js';
import { CSV_HEADER, csvRecord, ndjsonRecord } from './audit-formats.js';

const RECORD: AuditView = {
  tenantId: 'acme',
  auditId: 'aud_1',
  occurredAt: Date.UTC(2026, 10, 23, 12),
  action: 'topic.created',
  outcome: 'success',
  reason: null,
  actorKind: 'user',
  actorId: 'usr_1',
  userId: 'usr_1',
  address: '127.0.0.1',
  userAgent: '=cmd()',
  route: 'POST /x',
  resource: 'tenants/acme',
  correlationId: '-1+1',
  times: 1,
  before: null,
  after: '{"name":"a, b"}',
  seq: 7,
  hash: 'ff',
};

describe('an exported record', () => {
  it('is a line of CSV with as many cells as the header', () => {
    expect(CSV_HEADER).toMatch(/^id,seq,tenant,time,.*,before,after,hash\r\n$/);
    expect(csvRecord(RECORD)).toBe(
      "aud_1,7,acme,2026-11-23T12:00:00.000Z,topic.created,success,,user,usr_1,usr_1,127.0.0.1,'=cmd(),POST /x,tenants/acme," +
        `'-1+1,1,,"{""name"":""a, b""}",ff\r\n`,
    );
  });

  it('is a line of JSON, with its states as JSON values', () => {
    expect(JSON.parse(ndjsonRecord(RECORD))).toMatchObject({ id: 'aud_1', before: null, after: { name: 'a, b' } });
    expect(ndjsonRecord(RECORD).endsWith('}\n')).toBe(true);
  });
});
