import { defineErrors } from '../../../kernel/domain-error.js';

export const auditError = defineErrors({
  'audit-retention-invalid': { kind: 'invalid', title: 'The retention of the audit is not valid' },
  'audit-under-way': { kind: 'throttled', title: 'An export or verification of the audit is under way' },
  'audit-busy': { kind: 'unavailable', title: 'Too many exports and verifications of the audit at once' },
  'audit-stopped': { kind: 'unavailable', title: 'The export or verification was stopped' },
});

/** The client is gone or the instance stops: what was read so far must not look complete. */
export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw auditError('audit-stopped', 'The instance stops.', { retryAfterSeconds: 1 });
}
