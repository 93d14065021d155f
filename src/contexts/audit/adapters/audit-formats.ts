import { csvLine } from '../../../platform/formats/csv.js';
import { ndjsonLine } from '../../../platform/formats/ndjson.js';
import { isoTime } from '../../../platform/http/resource.js';
import type { AuditView } from '../../../platform/audit/index.js';
import type { AuditRecordDto } from './audit.dto.js';

const CSV_COLUMNS = [
  'id',
  'seq',
  'tenant',
  'time',
  'action',
  'outcome',
  'reason',
  'actorKind',
  'actor',
  'user',
  'address',
  'userAgent',
  'route',
  'resource',
  'correlationId',
  'times',
  'before',
  'after',
  'hash',
] as const satisfies readonly (keyof AuditRecordDto)[];

export function toAuditRecordDto(record: AuditView): AuditRecordDto {
  return {
    id: record.auditId,
    seq: record.seq,
    tenant: record.tenantId,
    time: isoTime(record.occurredAt),
    action: record.action,
    outcome: record.outcome,
    reason: record.reason,
    actorKind: record.actorKind,
    actor: record.actorId,
    user: record.userId,
    address: record.address,
    userAgent: record.userAgent,
    route: record.route,
    resource: record.resource,
    correlationId: record.correlationId,
    times: record.times,
    before: record.before === null ? null : (JSON.parse(record.before) as unknown),
    after: record.after === null ? null : (JSON.parse(record.after) as unknown),
    hash: record.hash,
  };
}

export const ndjsonRecord = (record: AuditView): string => ndjsonLine(toAuditRecordDto(record));

export const CSV_HEADER = csvLine(CSV_COLUMNS);

export function csvRecord(record: AuditView): string {
  const shown = { ...toAuditRecordDto(record), before: record.before, after: record.after };
  return csvLine(CSV_COLUMNS.map((name) => shown[name]));
}
