import { commandsOf, due, recorded } from '../../../../test/support/api/sagas.js';
import type { ManagementLog } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { StoredEvent } from '../../../platform/event-log/index.js';
import { consumerAggregate } from '../domain/consumer.js';
import { CONSUMER_SUBSCRIPTIONS, ConsumersSagas } from './consumers.sagas.js';
import { RecheckConsumers } from './recheck-consumers.js';
import { DropDeletedTopic } from './drop-deleted-topic.js';

const after = (log: ManagementLog, ...events: StoredEvent[]) =>
  commandsOf(ConsumersSagas, due(CONSUMER_SUBSCRIPTIONS, log, ...events));
const unassigned = (userId: string, fields: Partial<StoredEvent> = {}) =>
  recorded('member.role-removed', { data: JSON.stringify({ userId }), ...fields });

it('a deleted topic is removed from its consumers, and no other is', () => {
  const data = JSON.stringify({ tenantId: 'acme', namespaceId: 'shop', topicId: 'orders', topicUid: 'life-1' });
  expect(after('topics', recorded('topic.renamed', { data }), recorded('topic.deleted', { data }))).toEqual([
    new DropDeletedTopic('acme', 'life-1', 'c'),
  ]);
});

it('users whose rights were reduced together are checked together, for the last of the causes', () => {
  const causes = ['c1', 'c2'].map((correlationId, i) => unassigned(`usr_${i}`, { correlationId }));
  expect(after('permissions', ...causes)).toEqual([
    new RecheckConsumers({ runOn: ['usr_0', 'usr_1'], tenantId: 'acme' }, 'c2'),
  ]);
});

it.each([
  [
    'in the system, where it holds everywhere',
    unassigned('usr_1', { key: SYSTEM_TENANT }),
    { runOn: ['usr_1'], tenantId: null },
  ],
  ['of all users in a tenant', recorded('role.updated'), { allIn: 'acme' }],
  ['of all users', recorded('role.updated', { key: SYSTEM_TENANT }), { allIn: null }],
])('a reduced right %s is checked there', (_, event, which) => {
  expect(after('permissions', event)).toEqual([new RecheckConsumers(which, 'c')]);
});

it('suspended and deleted users run nothing any more, anywhere', () => {
  const users = ['user.suspended', 'user.renamed', 'user.deleted'].map((type) => recorded(type, { stream: type }));
  expect(after('users', ...users)).toEqual([
    new RecheckConsumers({ runOn: ['user.suspended', 'user.deleted'], tenantId: null }, 'c'),
  ]);
  expect(after('users', recorded('user.renamed'))).toEqual([]);
});

it('every event of a consumer except its pause and its end has its right checked again', () => {
  const types = Object.keys(consumerAggregate.eventTypes);
  const events = types.map((type) => recorded(type, { stream: `acme/shop/${type}` }));
  const checked = types.filter((type) => type !== 'consumer.paused' && type !== 'consumer.deleted');
  expect(after('consumers', ...events, events[0]!)).toEqual([
    new RecheckConsumers({ tenantId: 'acme', paths: checked.map((type) => `shop/${type}`) }, 'c'),
  ]);
});
