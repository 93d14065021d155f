import { Webhook } from 'standardwebhooks';
import { generateSigningSecret } from '../../../platform/egress/index.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { ConsumerView } from '../../consumers/index.js';
import { PreparedRequests, WebhookTarget } from './webhook-request.js';

const TOPIC = { topicId: 'orders', topicUid: '0190b3a4-0000-7000-8000-000000000001' };
const NOW = Date.now();
const secret = generateSigningSecret();
const consumer = {
  settings: { url: 'http://127.0.0.1:1/', timeoutMs: 1_000, correlationId: 'c-1' },
} as unknown as ConsumerView;
const secrets = { headers: {}, signing: [secret] };
const target = new WebhookTarget({ consumer, secrets });

const eventAt = (position: number): StoredEvent =>
  ({
    id: `evt_${position}`,
    type: 'order.created',
    position,
    data: '{}',
    key: null,
    stream: null,
    streamVersion: null,
    occurredAt: null,
    recordedAt: NOW,
    schemaVersion: null,
    correlationId: null,
    causationId: null,
    tracestate: 'rojo=1,congo=2',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    publishedBy: 'usr_1',
    metadata: null,
  }) as unknown as StoredEvent;

const first = eventAt(1);
const freshRequest = (event: StoredEvent, attempt: number, now: number) => target.request(event, TOPIC, attempt, now);

it('headers of the consumer are sent as they were registered, except those that are reserved by now', () => {
  const headers = { 'User-Agent': 'shop', Authorization: 'Bearer a', x_event_id: 'forged', 'Content-Encoding': 'gzip' };
  const { headers: sent } = new WebhookTarget({ consumer, secrets: { ...secrets, headers } }).request(
    first,
    TOPIC,
    1,
    NOW,
  );
  expect(sent).toMatchObject({ 'user-agent': 'shop', authorization: 'Bearer a', 'x-event-id': 'evt_1' });
  expect(Object.keys(sent).filter((name) => /agent|encoding|_/i.test(name))).toEqual(['user-agent']);
});

it('tracestate is sent with its traceparent, and left out where there is none', () => {
  expect(freshRequest(first, 1, NOW).headers).toMatchObject({
    traceparent: first.traceparent,
    tracestate: 'rojo=1,congo=2',
  });
  expect(freshRequest({ ...first, tracestate: null }, 1, NOW).headers).not.toHaveProperty('tracestate');
});

let requests: PreparedRequests;
beforeEach(() => {
  requests = new PreparedRequests(target, TOPIC);
  requests.prepare(first, NOW);
});

it('a prepared request equals one that would be made now, signature included', () => {
  const request = requests.take(first, 1, NOW);
  expect(request).toEqual(freshRequest(first, 1, NOW));
  expect(() =>
    new Webhook(secret).verify(String(request.body), request.headers as Record<string, string>),
  ).not.toThrow();
});

it.each([
  ['is for another event', eventAt(2), 1, NOW],
  ['is for the same position in a log that was replaced', { ...first, id: 'evt_other' }, 1, NOW],
  ['is not the first attempt', first, 2, NOW],
  ['is sent in another second than that of the signature', first, 1, NOW + 1_000],
])('a prepared request is not used when the requested one %s', (_, event, attempt, now) => {
  expect(requests.take(event, attempt, now)).toEqual(freshRequest(event, attempt, now));
});

it('a prepared request is used once', () => {
  requests.take(first, 1, NOW);
  expect(requests.take(first, 1, NOW + 1_000)).toEqual(freshRequest(first, 1, NOW + 1_000));
});
