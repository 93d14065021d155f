import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Signer, type SendRequest } from '../../../platform/egress/index.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import type { ConsumerSecrets, ConsumerView } from '../../consumers/index.js';
import { eventJson } from '../../topics/index.js';

interface TopicNames {
  readonly topicId: string;
  readonly topicUid: string;
}

/** What all deliveries of an event have in common: all attempts, to all consumers. */
interface Message {
  readonly id: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const messages = new WeakMap<StoredEvent, Message>();

/** Made once an event, not once a delivery: with ten consumers that is 5 % of what a delivery costs. */
function messageOf(event: StoredEvent, topic: TopicNames): Message {
  let message = messages.get(event);
  if (!message) {
    const id = messageId(event, topic.topicUid);
    const headers = {
      'x-event-id': event.id,
      'x-event-type': event.type,
      'x-topic': topic.topicId,
      'x-event-position': String(event.position),
      traceparent: event.traceparent ?? newTraceparent(),
      'webhook-id': id,
    };
    message = { id, body: Buffer.from(eventJson(event, topic)), headers };
    messages.set(event, message);
  }
  return message;
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
  request(event: StoredEvent, topic: TopicNames, attempt: number, now: number): SendRequest {
    const message = messageOf(event, topic);
    const timestamp = Math.floor(now / 1_000);
    const headers = {
      ...this.fixedHeaders,
      ...message.headers,
      'x-delivery-attempt': String(attempt),
      'webhook-timestamp': String(timestamp),
      'webhook-signature': this.signer.sign(message.id, timestamp, message.body),
    };
    const { url, timeoutMs } = this.consumer.settings;
    return { url, headers, body: message.body, timeoutMs };
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
