import { bodyExample } from '../../../platform/http/document-examples.js';
import { CreateBody, CreateTenantBody, RenameBody, SuspendBody, TenantChangeBody } from './tenancy.dto.js';

export const TENANCY_EXAMPLES = [
  bodyExample(CreateTenantBody, { id: 'globex', name: 'Globex Ltd.', limits: { topics: 100, eventsPerSecond: 500 } }),
  bodyExample(TenantChangeBody, { name: 'Acme Corp.', defaults: { retry: { maxAttempts: 20 }, timeoutMs: 5_000 } }),
  bodyExample(SuspendBody, { reason: 'The invoice of March is not paid.' }),
  bodyExample(CreateBody, { id: 'billing', name: 'Billing' }),
  bodyExample(RenameBody, { name: 'Web shop' }),
];
