import { Injectable } from '@nestjs/common';
import type { Principal } from '../../../kernel/access.js';
import { permissionDenied, StandingRights, type Standing } from '../../authz/index.js';
import type { NamespaceRef } from '../../tenancy/index.js';
import type { Registered } from '../domain/consumer.js';
import { consumerError, invalidConsumer } from '../domain/consumer-errors.js';

export type RightsCheck = (consumer: NamespaceRef & Pick<Registered, 'topics'>) => boolean;

/**
 * A consumer carries events to its URL for as long as it exists. So callers that say which events go where must be allowed to read them,
 * all types and without conditions: otherwise a right for an hour, or once a day, would last forever.
 */
@Injectable()
export class ConsumerRights {
  constructor(private readonly standing: StandingRights) {}

  /** Checked before the topics are looked up, so that the caller does not learn which exist. */
  async require(asking: Principal, namespace: NamespaceRef, topicIds: readonly string[]): Promise<void> {
    const own = await this.standing.ofCaller(namespace.tenantId, asking);
    for (const topic of pathsOf(namespace, topicIds)) {
      if (own.holds('event:read', topic)) continue;
      if (!own.mayHold('event:read', topic)) throw permissionDenied('event:read');
      throw consumerError(
        'consumer-right-conditional',
        `A consumer lasts: it needs event:read on ${topic} for all types of events, without any condition or denial.`,
        { permission: 'event:read' },
      );
    }
  }

  /**
   * Only callers that could grant the right permanently may let a consumer run on another user's right. They do not learn who has an
   * account: a user who is missing or suspended looks like one who may not read.
   */
  async requireOther(
    asking: Principal,
    userId: string,
    namespace: NamespaceRef,
    topicIds: readonly string[],
  ): Promise<void> {
    if (userId === asking.userId) return;
    const { tenantId } = namespace;
    const own = await this.standing.ofCaller(tenantId, asking);
    if (!own.holds('permission:grant', `tenants/${tenantId}`)) throw permissionDenied('permission:grant');
    if (reads(await this.standing.ofUser(tenantId, userId), pathsOf(namespace, topicIds))) return;
    const detail = 'must be a user who may read all its topics without condition';
    throw invalidConsumer({ pointer: '/runsOn/user', detail });
  }

  /** A check of consumers in the tenant that run on the right of this user. */
  async checkFor(tenantId: string, userId: string): Promise<RightsCheck> {
    const standing = await this.standing.ofUser(tenantId, userId);
    return (consumer) => {
      const topicIds = consumer.topics.map(({ topicId }) => topicId);
      return reads(standing, pathsOf(consumer, topicIds));
    };
  }
}

const reads = (standing: Standing | undefined, topics: readonly string[]): boolean =>
  standing !== undefined && topics.every((topic) => standing.holds('event:read', topic));

const pathsOf = ({ tenantId, namespaceId }: NamespaceRef, topicIds: readonly string[]): string[] =>
  topicIds.map((topicId) => `tenants/${tenantId}/namespaces/${namespaceId}/topics/${topicId}`);
