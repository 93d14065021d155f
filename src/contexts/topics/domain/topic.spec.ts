import { DomainError } from '../../../kernel/domain-error.js';
import {
  rethrowAsTopicError,
  createTopic,
  deleteTopic,
  describeTopic,
  topicAggregate,
  type TopicEvent,
  type TopicState,
} from './topic.js';

const REF = { tenantId: 'acme', namespaceId: 'shop', topicId: 'orders' };
const NONE = topicAggregate.initial;
const after = (state: TopicState, events: readonly TopicEvent[]): TopicState =>
  events.reduce((now, event) => topicAggregate.evolve(now, event, { recordedAt: 7 }), state);
const created = after(NONE, createTopic(NONE, REF, 'uid-1', 'Of the shop'));
const deleted = after(created, deleteTopic(created, REF));
const refusal = (attempt: () => unknown): string | undefined => {
  try {
    attempt();
  } catch (error) {
    return (error as DomainError).code;
  }
  return undefined;
};

describe('a topic', () => {
  it('is created once, with an id that can be chosen', () => {
    expect(created).toEqual({ status: 'active', topicUid: 'uid-1', description: 'Of the shop', createdAt: 7 });
    expect(refusal(() => createTopic(created, REF, 'uid-2', null))).toBe('topic-exists');
    for (const topicId of ['', '$system', 'Orders', 'a b', 'a/b', 'x'.repeat(300)])
      expect([topicId, refusal(() => createTopic(NONE, { ...REF, topicId }, 'uid', null))]).toEqual([
        topicId,
        'topic-id-invalid',
      ]);
  });

  it('has another uid in each of its lives', () => {
    expect(deleted).toEqual({ status: 'none', topicUid: 'uid-1' });
    expect(after(deleted, createTopic(deleted, REF, 'uid-2', null))).toMatchObject({
      status: 'active',
      topicUid: 'uid-2',
    });
  });

  it('is described again; what is left out, or the same, changes nothing', () => {
    expect(after(created, describeTopic(created, REF, 'Of all shops'))).toMatchObject({ description: 'Of all shops' });
    expect(after(created, describeTopic(created, REF, null))).toMatchObject({ description: null });
    for (const same of [undefined, 'Of the shop']) expect(describeTopic(created, REF, same)).toEqual([]);
  });

  it('that is not there is neither described nor deleted', () => {
    for (const state of [NONE, deleted]) {
      expect(refusal(() => describeTopic(state, REF, 'x'))).toBe('topic-not-found');
      expect(refusal(() => deleteTopic(state, REF))).toBe('topic-not-found');
    }
    const described = { type: 'topic.described', data: { ...REF, description: 'x' } } as const;
    expect(after(deleted, [described])).toEqual(deleted);
  });

  it('names its uid when it is deleted, so that the log that ends is known', () => {
    expect(deleteTopic(created, REF)).toEqual([{ type: 'topic.deleted', data: { ...REF, topicUid: 'uid-1' } }]);
  });

  it('whose log is gone is reported as deleted; other errors stay as they are', () => {
    const gone = new DomainError('log-gone', 'gone', 'Gone', 'The log has gone.');
    expect(refusal(() => rethrowAsTopicError(gone))).toBe('topic-not-found');
    const other = new Error('other');
    expect(() => rethrowAsTopicError(other)).toThrow(other);
  });
});
