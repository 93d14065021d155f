import { isoTime } from '../../../platform/http/resource.js';
import type { AuditView } from '../application/ports.js';
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

export const ndjsonLine = (record: AuditView): string => `${JSON.stringify(toAuditRecordDto(record))}\n`;

export const CSV_HEADER = `${CSV_COLUMNS.join(',')}\r\n`;

export function csvLine(record: AuditView): string {
  const shown = { ...toAuditRecordDto(record), before: record.before, after: record.after };
  return `${CSV_COLUMNS.map((name) => csvCell(shown[name])).join(',')}\r\n`;
}

/**
 * RFC 4180. A text that a spreadsheet would take for a formula is led by an apostrophe (OWASP, CSV injection): what is in an audit
 * record was partly written by an attacker.
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
