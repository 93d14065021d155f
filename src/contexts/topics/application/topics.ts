import { randomUUID } from 'node:crypto';
import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Actor } from '../../../kernel/aggregate.js';
import type { ExpectedVersion } from '../../../kernel/expected-version.js';
import { newId } from '../../../kernel/ids.js';
import { Aggregates, LogReader, type LogBounds } from '../../../platform/event-log/index.js';
import { NamespaceCatalog, namespaceNotFound, type NamespaceRef } from '../../tenancy/index.js';
import {
  createTopic,
  deleteTopic,
  describeTopic,
  topicNotFound,
  type TopicRef,
  type TopicState,
} from '../domain/topic.js';
import { TopicCatalog, type TopicView } from './ports.js';

export type TopicDetail = Omit<TopicView, 'namespaceUid'> & LogBounds;

export class CreateTopic extends Command<TopicDetail> {
  constructor(
    readonly namespace: NamespaceRef,
    readonly input: { readonly id?: string; readonly description?: string | null },
    readonly by: Actor,
  ) {
    super();
  }
}

@CommandHandler(CreateTopic)
export class CreateTopicHandler implements ICommandHandler<CreateTopic> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly namespaces: NamespaceCatalog,
    private readonly topics: TopicCatalog,
  ) {}

  async execute({ namespace, input, by }: CreateTopic): Promise<TopicDetail> {
    if (!(await this.namespaces.find(namespace))) throw namespaceNotFound(namespace);
    const ref = { ...namespace, topicId: input.id ?? newId('top') };
    const description = input.description ?? null;
    const topicUid = randomUUID();
    const decide = (state: TopicState) => createTopic(state, ref, topicUid, description);
    const { version, recordedAt } = await this.aggregates.change(this.topics, ref, by, decide);
    const topic = { ...ref, topicUid, description, version, createdAt: recordedAt, updatedAt: recordedAt };
    return { ...topic, firstPosition: 1, lastPosition: 0, eventCount: 0, bytes: 0 };
  }
}

export class DescribeTopic extends Command<TopicDetail> {
  constructor(
    readonly topic: TopicRef,
    /** Undefined: stays as it is. */
    readonly description: string | null | undefined,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(DescribeTopic)
export class DescribeTopicHandler implements ICommandHandler<DescribeTopic> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly topics: TopicCatalog,
    private readonly reader: LogReader,
  ) {}

  async execute({ topic: ref, description, by, expectedVersion }: DescribeTopic): Promise<TopicDetail> {
    await this.aggregates.change(this.topics, ref, by, (state) => describeTopic(state, ref, description), {
      expectedVersion,
    });
    return detail(ref, this.topics, this.reader);
  }
}

export class DeleteTopic extends Command<void> {
  constructor(
    readonly topic: TopicRef,
    readonly by: Actor,
    readonly expectedVersion?: ExpectedVersion,
  ) {
    super();
  }
}

/** The topic is gone when this returns; its events are removed afterwards, in slices. */
@CommandHandler(DeleteTopic)
export class DeleteTopicHandler implements ICommandHandler<DeleteTopic> {
  constructor(
    private readonly aggregates: Aggregates,
    private readonly topics: TopicCatalog,
  ) {}

  async execute({ topic: ref, by, expectedVersion }: DeleteTopic): Promise<void> {
    await this.aggregates.change(this.topics, ref, by, (state) => deleteTopic(state, ref), { expectedVersion });
  }
}

export class GetTopic extends Query<TopicDetail> {
  constructor(readonly topic: TopicRef) {
    super();
  }
}

@QueryHandler(GetTopic)
export class GetTopicHandler implements IQueryHandler<GetTopic> {
  constructor(
    private readonly topics: TopicCatalog,
    private readonly reader: LogReader,
  ) {}

  execute({ topic }: GetTopic): Promise<TopicDetail> {
    return detail(topic, this.topics, this.reader);
  }
}

/** `limit + 1` rows, so that the caller sees whether there are more. */
export class ListTopics extends Query<TopicView[]> {
  constructor(
    readonly namespace: NamespaceRef,
    readonly afterId: string,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListTopics)
export class ListTopicsHandler implements IQueryHandler<ListTopics> {
  constructor(
    private readonly namespaces: NamespaceCatalog,
    private readonly topics: TopicCatalog,
  ) {}

  async execute({ namespace, afterId, limit }: ListTopics): Promise<TopicView[]> {
    if (!(await this.namespaces.find(namespace))) throw namespaceNotFound(namespace);
    return this.topics.list(namespace, afterId, limit + 1);
  }
}

async function detail(ref: TopicRef, topics: TopicCatalog, reader: LogReader): Promise<TopicDetail> {
  const topic = await topics.find(ref);
  const bounds = topic && (await reader.bounds(topic));
  if (!topic || !bounds) throw topicNotFound(ref);
  return { ...topic, ...bounds };
}

export const TOPIC_HANDLERS = [
  CreateTopicHandler,
  DescribeTopicHandler,
  DeleteTopicHandler,
  GetTopicHandler,
  ListTopicsHandler,
];
