export { AUDIT_EXAMPLES } from './adapters/examples.js';
export { BeginHeads } from './application/begin-heads.js';
export { AuditModule } from './audit.module.js';
