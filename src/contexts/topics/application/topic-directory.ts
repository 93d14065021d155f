import { Injectable } from '@nestjs/common';
import type { LogRef } from '../../../platform/event-log/index.js';
import { boundedMap } from '../../../platform/limits/bounded-map.js';
import { topicNotFound, type TopicRef } from '../domain/topic.js';
import { TopicCatalog } from './ports.js';

const ENTRIES_MAX = 10_000;

/**
 * Which log belongs to a topic, from memory. An entry may outlive its topic (deleted, or created again by another instance): the
 * append finds out, since the log's head is gone, and then asks the store.
 */
@Injectable()
export class TopicDirectory {
  private readonly logs = boundedMap<LogRef>(ENTRIES_MAX);

  constructor(private readonly topics: TopicCatalog) {}

  /** The log of a topic, or `undefined` where it is not in memory. */
  cached(ref: TopicRef): LogRef | undefined {
    return this.logs.peek(nameOf(ref));
  }

  /** Asks the store. */
  async load(ref: TopicRef): Promise<LogRef> {
    const name = nameOf(ref);
    this.logs.delete(name);
    const topic = await this.topics.find(ref);
    if (!topic) throw topicNotFound(ref);
    const log = { tenantId: ref.tenantId, topicUid: topic.topicUid };
    this.logs.set(name, log);
    return log;
  }
}

const nameOf = ({ tenantId, namespaceId, topicId }: TopicRef): string => `${tenantId}/${namespaceId}/${topicId}`;
