import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { systemActor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { dropTopic } from '../domain/consumer.js';
import { ConsumerCatalog } from './ports.js';

/** Removes a deleted topic from its consumers. Harmless when it is repeated, or done twice at once. */
export class DropDeletedTopic extends Command<void> {
  constructor(
    readonly tenantId: string,
    readonly topicUid: string,
    readonly correlationId: string,
  ) {
    super();
  }
}

@CommandHandler(DropDeletedTopic)
export class DropDeletedTopicHandler implements ICommandHandler<DropDeletedTopic> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  async execute({ tenantId, topicUid, correlationId }: DropDeletedTopic): Promise<void> {
    const actor = systemActor(correlationId);
    for (const { namespaceId, consumerId } of await this.consumers.subscribedTo(tenantId, topicUid)) {
      const ref = { tenantId, namespaceId, consumerId };
      await this.aggregates.change(this.consumers, ref, actor, (state) => dropTopic(state, ref, topicUid));
    }
  }
}
