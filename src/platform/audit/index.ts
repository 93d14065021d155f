export {
  AUDIT_OUTCOMES,
  auditedBy,
  canonical,
  type ActorKind,
  type AuditActor,
  type AuditOutcome,
  type AuditRecord,
  type AuditRow,
} from './audit-record.js';
export { AuditFaults } from './audit-faults.js';
export { AuditLog, FIRST_ID, LAST_ID, type AuditFilter, type AuditRange } from './audit-log.js';
export { AuditRecords, macOf, type AuditView, type StoredAuditRecord } from './audit-records.js';
export { AuditTrail, type AuditLoss } from './audit-trail.js';
