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
export { AuditTrail, macOf, type AuditLoss } from './audit-trail.js';
