import { Injectable } from '@nestjs/common';
import type { FieldError } from '../../../kernel/domain-error.js';
import type { Principal } from '../../../kernel/access.js';
import type { NamespaceRef } from '../../tenancy/index.js';
import { Places, TopicCatalog, type Place } from '../../topics/index.js';
import { invalidConsumer } from '../domain/consumer-errors.js';
import type { Subscription } from '../domain/consumer.js';
import { ConsumerRights } from './consumer-rights.js';

export interface TopicRequest {
  readonly topic: string;
  readonly startFrom?: Place;
}

/** Finds the topics that a consumer names, for callers that may read them, and the places where it starts. */
@Injectable()
export class Subscriptions {
  constructor(
    private readonly topics: TopicCatalog,
    private readonly places: Places,
    private readonly rights: ConsumerRights,
  ) {}

  /** Topics that are `kept` are not resolved again: they continue from their own place. */
  async resolve(
    asking: Principal,
    namespace: NamespaceRef,
    requests: readonly TopicRequest[],
    kept: readonly Subscription[] = [],
  ): Promise<Subscription[]> {
    await this.rights.require(
      asking,
      namespace,
      requests.map(({ topic }) => topic),
    );
    const errors: FieldError[] = [];
    const found: Subscription[] = [];
    for (const [i, { topic: topicId, startFrom }] of requests.entries()) {
      const pointer = `/topics/${i}/topic`;
      if (found.some((other) => other.topicId === topicId)) {
        errors.push({ pointer, detail: 'is named twice' });
        continue;
      }
      const topic = await this.topics.find({
        tenantId: namespace.tenantId,
        namespaceId: namespace.namespaceId,
        topicId,
      });
      const held = topic && kept.find(({ topicUid }) => topicUid === topic.topicUid);
      if (!topic) errors.push({ pointer, detail: `there is no topic "${topicId}" in the namespace` });
      else
        found.push(
          held ?? {
            topicId,
            topicUid: topic.topicUid,
            ...(await this.places.startingPoint(topic, startFrom ?? 'latest')),
          },
        );
    }
    if (errors.length > 0) throw invalidConsumer(...errors);
    return found;
  }
}
