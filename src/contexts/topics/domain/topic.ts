import { serializedLog, type Aggregate } from '../../../kernel/aggregate.js';
import { isCode } from '../../../kernel/domain-error.js';
import { isChosenId } from '../../../kernel/ids.js';
import { topicError } from './topic-errors.js';

export interface TopicRef {
  readonly tenantId: string;
  readonly namespaceId: string;
  readonly topicId: string;
}

export type TopicEvent =
  | { type: 'topic.created'; data: TopicRef & { topicUid: string; description: string | null } }
  | { type: 'topic.described'; data: TopicRef & { description: string | null } }
  | { type: 'topic.deleted'; data: TopicRef & { topicUid: string } };

export type TopicState =
  | { readonly status: 'none'; readonly topicUid?: string }
  | {
      readonly status: 'active';
      readonly topicUid: string;
      readonly description: string | null;
      readonly createdAt: number;
    };

export const topicAggregate: Aggregate<TopicState, TopicEvent, TopicRef> = {
  topicUid: serializedLog('topics'),
  eventTypes: { 'topic.created': { version: 1 }, 'topic.described': { version: 1 }, 'topic.deleted': { version: 1 } },
  initial: { status: 'none' },
  streamOf: ({ tenantId, namespaceId, topicId }) => `${tenantId}/${namespaceId}/${topicId}`,
  tenantOf: ({ tenantId }) => tenantId,
  resourceOf: ({ tenantId, namespaceId, topicId }) => `tenants/${tenantId}/namespaces/${namespaceId}/topics/${topicId}`,
  evolve(state, event, { recordedAt }): TopicState {
    switch (event.type) {
      case 'topic.created':
        return {
          status: 'active',
          topicUid: event.data.topicUid,
          description: event.data.description,
          createdAt: recordedAt,
        };
      case 'topic.described':
        return state.status === 'active' ? { ...state, description: event.data.description } : state;
      case 'topic.deleted':
        return { status: 'none', topicUid: event.data.topicUid };
      default:
        return state;
    }
  },
};

/** The uid is new for each life of an id: a topic made again under an old id begins with an empty log. */
export function createTopic(
  state: TopicState,
  ref: TopicRef,
  topicUid: string,
  description: string | null,
): TopicEvent[] {
  if (!isChosenId(ref.topicId)) throw topicError('topic-id-invalid', `"${ref.topicId}" is no valid topic id.`);
  if (state.status === 'active') throw topicError('topic-exists', `Topic "${ref.topicId}" exists.`);
  return [{ type: 'topic.created', data: { ...ref, topicUid, description } }];
}

/** An undefined description stays as it is. */
export function describeTopic(state: TopicState, ref: TopicRef, description: string | null | undefined): TopicEvent[] {
  if (state.status !== 'active') throw topicNotFound(ref);
  return description === undefined || state.description === description
    ? []
    : [{ type: 'topic.described', data: { ...ref, description } }];
}

export function deleteTopic(state: TopicState, ref: TopicRef): TopicEvent[] {
  if (state.status !== 'active') throw topicNotFound(ref);
  return [{ type: 'topic.deleted', data: { ...ref, topicUid: state.topicUid } }];
}

export const topicNotFound = ({ topicId }: Pick<TopicRef, 'topicId'>): Error =>
  topicError('topic-not-found', `There is no topic "${topicId}".`);

/** It was deleted while it was being read. */
export const topicGone = (): Error => topicError('topic-not-found', 'The topic was deleted meanwhile.');

/** Readers know topics, not logs. */
export function rethrowAsTopicError(error: unknown): never {
  throw isCode(error, 'log-gone') ? topicGone() : error;
}
