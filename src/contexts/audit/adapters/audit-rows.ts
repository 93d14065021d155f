/** Columns of a record under the names of `AuditRow`. */
export const RECORD_COLUMNS = `tenant_id AS "tenantId", audit_id AS "auditId", occurred_at AS "occurredAt", action, outcome, reason,
  actor_kind AS "actorKind", actor_id AS "actorId", user_id AS "userId", address, user_agent AS "userAgent", route, resource,
  correlation_id AS "correlationId", times, state_before AS "before", state_after AS "after", seq, hash`;
