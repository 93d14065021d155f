import type { OpenAPIObject } from '@nestjs/swagger';
import { EXAMPLE } from '../../../platform/http/examples.js';
import { RETRY_AFTER_MAX_MS } from '../domain/lane.js';

const MINUTES_MAX = RETRY_AFTER_MAX_MS / 60_000;
const INTEGER = { type: 'integer', minimum: 0 } as const;
const TEXT = { type: 'string' } as const;

const header = (name: string, description: string, example: string | number, schema: object = TEXT) => ({
  name,
  in: 'header' as const,
  required: true,
  description,
  schema,
  example,
});

const RETRY_AFTER = {
  'Retry-After': {
    description: `Seconds, or an HTTP date: the next attempt is not earlier; at most ${MINUTES_MAX} minutes count.`,
    schema: TEXT,
  },
};

/**
 * What receivers get and what their responses do, for developers of receivers. A spec compares it with the requests that are really made
 * and with what lanes do on responses.
 */
export const DELIVERY_WEBHOOKS: NonNullable<OpenAPIObject['webhooks']> = {
  eventDelivery: {
    post: {
      operationId: 'deliverEvent',
      summary: 'One event, sent to the URL of a consumer',
      description:
        'Signed by Standard Webhooks 1.0: HMAC-SHA-256 over `webhook-id.webhook-timestamp.body` with the secret of the consumer. At least ' +
        'once, and the events of one topic strictly in order: the next one is sent after a 2xx response to the previous one. The headers of ' +
        'the consumer are sent, too.',
      tags: ['deliveries'],
      parameters: [
        header('webhook-id', 'The same for all attempts at an event.', 'msg_0190b3a4000070008000000000000001_1_1x2y3z'),
        header('webhook-timestamp', 'Of this attempt, in seconds since 1970.', 1_796_029_200, INTEGER),
        header(
          'webhook-signature',
          'One or more signatures separated by spaces, each `v1,` and base64.',
          'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
          { type: 'string', pattern: '^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$' },
        ),
        header('X-Correlation-ID', 'The correlation id of the consumer.', 'warehouse-1'),
        header('X-Event-ID', 'The id of the event.', EXAMPLE.eventId),
        header('X-Event-Type', 'Its type.', 'order.created'),
        header('X-Topic', 'Its topic.', EXAMPLE.topicId),
        header('X-Event-Position', 'Its position in the topic; 0 in a test delivery.', 1, INTEGER),
        header('X-Delivery-Attempt', '1 for the first attempt at the event.', 1, { type: 'integer', minimum: 1 }),
        header(
          'traceparent',
          'W3C Trace Context: that of the publish request, or a new one.',
          '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        ),
        { ...header('tracestate', 'That of the publish request, if it had one.', 'vendor=1'), required: false },
        header('User-Agent', '`event-store`, unless the consumer sets its own.', 'event-store'),
      ],
      requestBody: {
        required: true,
        content: { 'application/json; charset=utf-8': { schema: { $ref: '#/components/schemas/EventDto' } } },
      },
      responses: {
        '2XX': {
          description:
            "Delivered once the head of the response arrives within the consumer's `timeoutMs`; the body does not matter.",
        },
        '3XX': { description: 'A failure: redirects are not followed.', headers: RETRY_AFTER },
        '410': { description: 'The endpoint is gone: the consumer is paused, with the reason `gone`.' },
        default: {
          description: "A failure: tried again by the consumer's `retry`, like no response at all.",
          headers: RETRY_AFTER,
        },
      },
    },
  },
};
