export { BeginHeads } from './application/begin-heads.js';
export { AuditModule } from './audit.module.js';
