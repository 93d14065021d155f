import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Signer, type SendRequest } from '../../../platform/egress/index.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { ConsumerSecrets, ConsumerView } from '../../consumers/index.js';
import { eventJson } from '../../topics/index.js';

const bodies = new WeakMap<StoredEvent, Buffer>();

/** All consumers of an event share its body. */
function bodyOf(event: StoredEvent, topicId: string): Buffer {
  let body = bodies.get(event);
  if (!body) {
    body = Buffer.from(eventJson(event, { topicId }));
    bodies.set(event, body);
  }
  return body;
}

/** A consumer, ready to be delivered to: what does not change from event to event is worked out once. */
export class WebhookTarget {
  private readonly fixedHeaders: Readonly<Record<string, string>>;
  private readonly signer: Signer;

  constructor(
    readonly consumer: ConsumerView,
    secrets: ConsumerSecrets,
  ) {
    this.fixedHeaders = {
      'user-agent': 'event-store',
      ...secrets.headers,
      'content-type': 'application/json; charset=utf-8',
      'x-correlation-id': consumer.settings.correlationId,
    };
    this.signer = new Signer(secrets.signing);
  }

  /**
   * One attempt. `webhook-id` is the same for all attempts at an event, and is made of nothing that a producer chooses; the timestamp
   * is that of the attempt (Standard Webhooks 1.0).
   */
  request(
    event: StoredEvent,
    topic: { readonly topicId: string; readonly topicUid: string },
    attempt: number,
    now: number,
  ): SendRequest {
    const body = bodyOf(event, topic.topicId);
    const id = messageId(event, topic.topicUid);
    const timestamp = Math.floor(now / 1_000);
    const headers = {
      ...this.fixedHeaders,
      'x-event-id': event.id,
      'x-event-type': event.type,
      'x-topic': topic.topicId,
      'x-event-position': String(event.position),
      'x-delivery-attempt': String(attempt),
      traceparent: event.traceparent ?? newTraceparent(),
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': this.signer.sign(id, timestamp, body),
    };
    return { url: this.consumer.settings.url, headers, body, timeoutMs: this.consumer.settings.timeoutMs };
  }
}

/**
 * The same for all attempts, different for all events, also where a restored backup gives a position to another event. A test event is in
 * no log and has no position.
 */
function messageId({ id, position }: StoredEvent, topicUid: string): string {
  if (position === 0) return `msg_${id}`;
  return `msg_${topicUid.replaceAll('-', '')}_${position}_${crc32(id).toString(36)}`;
}

/** W3C Trace Context, not sampled. */
const newTraceparent = (): string => {
  const random = randomUUID().replaceAll('-', '');
  return `00-${random}-${random.slice(8, 24)}-00`;
};
