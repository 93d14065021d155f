import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { systemActor } from '../../../kernel/aggregate.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import { dropTopic } from '../domain/consumer.js';
import { ConsumerCatalog } from './ports.js';

/** Removes a deleted topic from its consumers. Harmless when it is repeated, or done twice at once. */
export class LeaveTopic extends Command<void> {
  constructor(
    readonly tenantId: string,
    readonly topicUid: string,
    readonly correlationId: string,
  ) {
    super();
  }
}

@CommandHandler(LeaveTopic)
export class LeaveTopicHandler implements ICommandHandler<LeaveTopic> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  async execute({ tenantId, topicUid, correlationId }: LeaveTopic): Promise<void> {
    const actor = systemActor(correlationId);
    for (const { namespaceId, consumerId } of await this.consumers.subscribedTo(tenantId, topicUid)) {
      const ref = { tenantId, namespaceId, consumerId };
      await this.aggregates.change(this.consumers, ref, actor, (state) => dropTopic(state, ref, topicUid));
    }
  }
}
