import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import { PinoLogger } from 'nestjs-pino';
import type { Actor, Versioned } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { Aggregates } from '../../../platform/event-log/index.js';
import type { Principal } from '../../../kernel/access.js';
import { NamespaceCatalog, namespaceNotFound, type NamespaceRef } from '../../tenancy/index.js';
import {
  consumerNotFound,
  deleteConsumer,
  pauseConsumer,
  resumeConsumer,
  type ConsumerEvent,
  type ConsumerRef,
  type ConsumerState,
  type PauseReason,
} from '../domain/consumer.js';
import { ConsumerRights } from './consumer-rights.js';
import { ConsumerCatalog, type ConsumerView, type ShownConsumer } from './ports.js';
import { retryIfChanged } from './retry-if-changed.js';

/** What each log line about a consumer has: its id alone is not unique. */
const namesOf = ({ tenantId, namespaceId, consumerId }: ConsumerRef, { correlationId }: Actor) => ({
  correlationId,
  tenant: tenantId,
  namespace: namespaceId,
  consumer: consumerId,
});

export class PauseConsumer extends Command<ShownConsumer> {
  constructor(
    readonly consumer: ConsumerRef,
    readonly reason: PauseReason,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(PauseConsumer)
export class PauseConsumerHandler implements ICommandHandler<PauseConsumer> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
    private readonly log: PinoLogger,
  ) {}

  async execute({ consumer: ref, reason, by, expectedVersion }: PauseConsumer): Promise<ShownConsumer> {
    let pauses = false;
    const decide = (state: ConsumerState): ConsumerEvent[] => {
      const events = pauseConsumer(state, ref, reason);
      pauses = events.length > 0;
      return events;
    };
    const paused = await this.aggregates.change(this.consumers, ref, by, decide, { expectedVersion });
    if (pauses) this.log.info({ ...namesOf(ref, by), reason }, 'consumer paused');
    return this.consumers.shown(ref, paused);
  }
}

export class ResumeConsumer extends Command<ShownConsumer> {
  constructor(
    readonly consumer: ConsumerRef,
    readonly asking: Principal,
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(ResumeConsumer)
export class ResumeConsumerHandler implements ICommandHandler<ResumeConsumer> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
    private readonly rights: ConsumerRights,
    private readonly log: PinoLogger,
  ) {}

  async execute(command: ResumeConsumer): Promise<ShownConsumer> {
    const { consumer: ref, by } = command;
    const resumed = await retryIfChanged(undefined, () => this.resume(command));
    this.log.info(namesOf(ref, by), 'consumer resumed');
    return this.consumers.shown(ref, resumed);
  }

  /** With the right on all topics that it has then. */
  private async resume({ consumer: ref, asking, by }: ResumeConsumer): Promise<Versioned<ConsumerState>> {
    const current = await this.consumers.find(ref);
    if (!current) throw consumerNotFound(ref);
    const topicIds = current.topics.map(({ topicId }) => topicId);
    await this.rights.require(asking, ref, topicIds);
    const decide = (state: ConsumerState) => resumeConsumer(state, ref, asking.userId);
    return this.aggregates.change(this.consumers, ref, by, decide, { expectedVersion: current.version });
  }
}

export class DeleteConsumer extends Command<void> {
  constructor(
    readonly consumer: ConsumerRef,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(DeleteConsumer)
export class DeleteConsumerHandler implements ICommandHandler<DeleteConsumer> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly consumers: ConsumerCatalog,
  ) {}

  async execute({ consumer: ref, by, expectedVersion }: DeleteConsumer): Promise<void> {
    await this.aggregates.change(this.consumers, ref, by, (state) => deleteConsumer(state, ref), { expectedVersion });
  }
}

export class GetConsumer extends Query<ConsumerView> {
  constructor(readonly consumer: ConsumerRef) {
    super();
  }
}

@QueryHandler(GetConsumer)
export class GetConsumerHandler implements IQueryHandler<GetConsumer> {
  constructor(private readonly consumers: ConsumerCatalog) {}

  async execute({ consumer: ref }: GetConsumer): Promise<ConsumerView> {
    const consumer = await this.consumers.find(ref);
    if (!consumer) throw consumerNotFound(ref);
    return consumer;
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListConsumers extends Query<ConsumerView[]> {
  constructor(
    readonly namespace: NamespaceRef,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListConsumers)
export class ListConsumersHandler implements IQueryHandler<ListConsumers> {
  constructor(
    private readonly namespaces: NamespaceCatalog,
    private readonly consumers: ConsumerCatalog,
  ) {}

  async execute({ namespace, afterId, limit }: ListConsumers): Promise<ConsumerView[]> {
    if (!(await this.namespaces.find(namespace))) throw namespaceNotFound(namespace);
    return this.consumers.list(namespace, afterId, limit + 1);
  }
}

export const CONSUMER_HANDLERS = [
  PauseConsumerHandler,
  ResumeConsumerHandler,
  DeleteConsumerHandler,
  GetConsumerHandler,
  ListConsumersHandler,
];
