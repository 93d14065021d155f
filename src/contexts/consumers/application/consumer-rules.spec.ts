import type { ConsumerState, Registered, Subscription } from '../domain/consumer.js';
import { checkConsumer, type ConsumerFacts } from './consumer-rules.js';

const ref = { tenantId: 'acme', namespaceId: 'shop', consumerId: 'billing' };
const none: ConsumerState = { status: 'none' };
const active = { status: 'active' } as Registered;
const orders: Subscription = { topicId: 'orders', topicUid: 'uid', startPosition: 0 };
const facts: ConsumerFacts = { namespaceUid: 'life', room: { status: 'active', held: 0, max: 1 }, missing: [] };

const check = (before: ConsumerState, state: ConsumerState, changes: Partial<ConsumerFacts>) => () =>
  checkConsumer({ ...facts, ...changes }, { before, state, version: 2, recordedAt: 1, events: [] }, ref);
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('a consumer', () => {
  it('begins in a namespace, where the tenant has room, on topics that are there', () => {
    expect(check(none, active, {})).not.toThrow();
    expect(check(none, active, { missing: [orders] })).toThrow(refused('consumer-invalid'));
    expect(check(none, active, { room: { ...facts.room!, held: 1 }, missing: [orders] })).toThrow(
      refused('tenant-limit-reached'),
    );
    expect(check(none, active, { namespaceUid: undefined, room: undefined })).toThrow(refused('namespace-not-found'));
  });

  it('gets no topic that is gone', () => {
    expect(check(active, active, { missing: [orders] })).toThrow('There is no topic "orders" in the namespace.');
  });

  it('can be changed where its namespace is gone, too, so that a pause of many does not stop there', () => {
    expect(check(active, active, { namespaceUid: undefined, room: undefined })).not.toThrow();
  });

  it('can be deleted whatever else is gone', () => {
    expect(check(active, { status: 'none', consumerUid: 'uid' }, { namespaceUid: undefined })).not.toThrow();
  });
});
