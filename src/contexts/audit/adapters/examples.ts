import { bodyExample } from '../../../platform/http/document-examples.js';
import { AuditRetentionBody, ExportAuditBody } from './audit.dto.js';

export const AUDIT_EXAMPLES = [
  bodyExample(ExportAuditBody, { format: 'ndjson', action: 'topic.*', from: '2026-01-01T00:00:00Z' }),
  bodyExample(AuditRetentionBody, { maxAge: 'P400D' }),
];
