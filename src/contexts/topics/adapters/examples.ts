import { bodyExample } from '../../../platform/http/document-examples.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { CreateTopicBody, PatchTopicBody } from './topics.dto.js';

export const TOPIC_EXAMPLES = [
  bodyExample(CreateTopicBody, { id: 'invoices', description: 'What is billed.' }),
  bodyExample(PatchTopicBody, { description: 'What is ordered.' }),
];

const { eventId: id, stream } = EXAMPLE;
const created = { type: 'order.created', data: { orderId: 1001, total: 99.5 }, id, key: 'customer-7', stream };
const paid = { type: 'order.paid', data: { orderId: 1001 }, stream };
const cloudEvent = {
  specversion: '1.0',
  id: 'order-1002-created',
  source: '/shop/checkout',
  type: 'order.created',
  data: { orderId: 1002, total: 12 },
};

/** Publishing has a schema for each media type, and no class. */
export const PUBLISH_EXAMPLES = {
  publishEvents: {
    'application/json': {
      one: { summary: 'One event', value: created },
      batch: { summary: 'A batch', value: [paid, { ...paid, type: 'order.packed' }] },
    },
    'application/cloudevents+json': { one: { summary: 'One CloudEvent', value: cloudEvent } },
    'application/cloudevents-batch+json': {
      batch: { summary: 'A batch', value: [cloudEvent, { ...cloudEvent, id: 'order-1002-paid', type: 'order.paid' }] },
    },
  },
};
