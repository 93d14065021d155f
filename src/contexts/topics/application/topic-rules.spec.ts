import type { TopicState } from '../domain/topic.js';
import { checkTopic, type TopicFacts } from './topic-rules.js';

const ref = { tenantId: 'acme', namespaceId: 'shop', topicId: 'orders' };
const none: TopicState = { status: 'none' };
const active: TopicState = { status: 'active', topicUid: 'uid', description: null, createdAt: 1 };
const facts: TopicFacts = { namespaceUid: 'life', room: { status: 'active', held: 2, max: 3 } };

const check = (before: TopicState, state: TopicState, changes: Partial<TopicFacts>) => () =>
  checkTopic({ ...facts, ...changes }, { before, state, version: 2, recordedAt: 1, events: [] }, ref);
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('a topic', () => {
  it('begins in a namespace, where the tenant has room', () => {
    expect(check(none, active, {})).not.toThrow();
    expect(check(none, active, { room: { ...facts.room!, held: 3 } })).toThrow(refused('tenant-limit-reached'));
    expect(check(none, active, { room: { ...facts.room!, status: 'deleting' } })).toThrow(refused('tenant-deleting'));
  });

  it('is in a namespace, which is checked before the room', () => {
    const full = { ...facts.room!, held: 3 };
    expect(check(none, active, { namespaceUid: undefined, room: full })).toThrow(refused('namespace-not-found'));
    expect(check(active, active, { namespaceUid: undefined })).toThrow(refused('namespace-not-found'));
  });

  it('can be changed without room, and deleted whatever else is gone', () => {
    expect(check(active, active, { room: undefined })).not.toThrow();
    expect(
      check(active, { status: 'none', topicUid: 'uid' }, { namespaceUid: undefined, room: undefined }),
    ).not.toThrow();
  });
});
