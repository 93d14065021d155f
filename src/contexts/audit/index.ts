export { AUDIT_EXAMPLES } from './adapters/examples.js';
export { InitializeHeads } from './application/initialize-heads.js';
export { AuditModule } from './audit.module.js';
