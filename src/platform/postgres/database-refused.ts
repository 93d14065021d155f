import { defineErrors, type DomainError } from '../../kernel/domain-error.js';

const fail = defineErrors({
  'database-refused': { kind: 'internal', title: 'The database cannot be used' },
});

/** Why the given PostgreSQL cannot be used, and what to set. Reported at the start, never by HTTP. */
export const databaseRefused = (detail: string, cause?: unknown): DomainError =>
  fail('database-refused', detail, {}, { cause });
