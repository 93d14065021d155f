import { generateSigningSecret } from '../../../platform/egress/index.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { ConsumerView } from '../../consumers/index.js';
import { WebhookTarget } from '../application/webhook-request.js';
import { DELIVERY_WEBHOOKS } from './webhook.docs.js';

interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly example: string | number;
  readonly schema: { readonly type: string; readonly pattern?: string };
}

const { post } = DELIVERY_WEBHOOKS['eventDelivery'] as { post: NonNullable<object> };
const { parameters, requestBody } = post as {
  parameters: Parameter[];
  requestBody: { content: Record<string, unknown> };
};
const event = {
  id: 'order-1',
  type: 'order.created',
  data: '{}',
  position: 7,
  recordedAt: 0,
  occurredAt: null,
  key: null,
  stream: null,
  streamVersion: null,
  schemaVersion: null,
  correlationId: null,
  causationId: null,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'vendor=1',
  metadata: null,
  publishedBy: 'usr_1',
} as unknown as StoredEvent;

function sentHeaders(): Record<string, string> {
  const consumer = { settings: { url: 'http://127.0.0.1:1/', timeoutMs: 1_000, correlationId: 'c-1' } };
  const secrets = {
    headers: { 'x-own': 'is not ours to describe' },
    signing: [generateSigningSecret(), generateSigningSecret()],
  };
  const target = new WebhookTarget({ consumer: consumer as unknown as ConsumerView, secrets });
  const request = target.request(event, { topicId: 'orders', topicUid: '0190b3a4-0000-7000-8000-000000000001' }, 1, 0);
  const { 'content-type': contentType, 'x-own': _, ...headers } = request.headers as Record<string, string>;
  expect(Object.keys(requestBody.content)).toEqual([contentType]);
  return headers;
}

it('the document describes exactly the headers and the content type that deliveries have', () => {
  const described = new Map(parameters.map((parameter) => [parameter.name.toLowerCase(), parameter]));
  const sent = sentHeaders();
  expect(Object.keys(sent).filter((name) => !described.has(name))).toEqual([]);
  const promised = [...described].filter(([, { required }]) => required).map(([name]) => name);
  expect(promised.filter((name) => !(name in sent))).toEqual([]);
});

it('the schemas of the headers hold for those that are sent, and for the examples', () => {
  const sent = sentHeaders();
  for (const { name, schema, example } of parameters) {
    const pattern = schema.type === 'integer' ? /^\d+$/ : new RegExp(schema.pattern ?? '^.+$');
    for (const value of [sent[name.toLowerCase()] ?? example, example])
      expect([name, String(value)]).toEqual([name, expect.stringMatching(pattern)]);
  }
});
