import { bodyExample } from '../../../platform/http/document-examples.js';
import { PatchConsumerBody, RegisterConsumerBody } from './consumers.dto.js';

export const CONSUMER_EXAMPLES = [
  bodyExample(RegisterConsumerBody, {
    id: 'accounting',
    name: 'Accounting',
    url: 'https://accounting.example/webhooks',
    topics: [{ topic: 'orders', startFrom: 'beginning' }],
    headers: { authorization: 'Bearer 3kTMd9ZxQw1a' },
    retry: { strategy: 'exponential', maxAttempts: 20 },
  }),
  bodyExample(PatchConsumerBody, { name: 'Warehouse', correlationId: 'warehouse-1', timeoutMs: 5_000 }),
];
