import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { WallClock } from '../../../kernel/clock.js';
import { newId } from '../../../kernel/ids.js';
import { Egress, type SendOutcome } from '../../../platform/egress/index.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import { ConsumerCatalog, consumerNotFound, type ConsumerRef } from '../../consumers/index.js';
import { WebhookTarget } from './webhook-request.js';

export interface TestResult {
  readonly outcome: SendOutcome;
  readonly eventId: string;
}

export class SendTestDelivery extends Command<TestResult> {
  constructor(
    readonly consumer: ConsumerRef,
    readonly correlationId: string,
    readonly by: string,
  ) {
    super();
  }
}

/** One delivery of an event that is in no log, by the same path as all others; the cursors of the consumer do not move. */
@CommandHandler(SendTestDelivery)
export class SendTestDeliveryHandler implements ICommandHandler<SendTestDelivery> {
  constructor(
    private readonly consumers: ConsumerCatalog,
    private readonly egress: Egress,
    private readonly clock: WallClock,
  ) {}

  async execute({ consumer: ref, correlationId, by }: SendTestDelivery): Promise<TestResult> {
    const consumer = await this.consumers.find(ref);
    if (!consumer) throw consumerNotFound(ref);
    const target = new WebhookTarget({ consumer, secrets: await this.consumers.secretsOf(consumer) });
    const now = this.clock.now();
    const event = testEvent(ref, correlationId, by, now);
    const { topicId = 'test', topicUid = consumer.consumerUid } = consumer.topics[0] ?? {};
    const request = target.request(event, { topicId, topicUid }, 1, now);
    return { outcome: await this.egress.sender.send(request), eventId: event.id };
  }
}

function testEvent({ consumerId }: ConsumerRef, correlationId: string, by: string, now: number): StoredEvent {
  return {
    id: newId('evt', now),
    type: 'consumer.test',
    data: JSON.stringify({ message: 'This is a test delivery.', consumer: consumerId }),
    key: null,
    stream: null,
    streamVersion: null,
    occurredAt: null,
    schemaVersion: null,
    correlationId,
    causationId: null,
    traceparent: null,
    tracestate: null,
    metadata: null,
    position: 0,
    recordedAt: now,
    publishedBy: by,
    logBytes: 0,
  };
}
