import { commandsOf, noticed } from '../../../../test/support/api/sagas.js';
import { Missed } from '../../../platform/sagas/index.js';
import { AuthzSagas } from './authz.sagas.js';
import { InvalidatePolicies } from './invalidate-policies.js';

const change = (type: string, data: object) => noticed('permissions', type, { data: JSON.stringify(data) });
const user = { kind: 'user', id: 'usr_1' };

it.each([
  [
    'a role of a member',
    change('member.role-assigned', { userId: 'usr_1', roleId: 'clerk' }),
    { principalId: 'usr_1' },
  ],
  ['a user in a group', change('group.part-added', { part: 'user', id: 'usr_1' }), { principalId: 'usr_1' }],
  ['a grant to a user', change('grant.created', { principal: user }), { principalId: 'usr_1' }],
  [
    'a grant to a key',
    change('grant.revoked', { principal: { kind: 'apiKey', id: 'key_1' } }),
    { principalId: 'key_1' },
  ],
  ['a grant to a group', change('grant.created', { principal: { kind: 'group', id: 'g' } }), { tenantId: 'acme' }],
  ['a group in a group', change('group.part-added', { part: 'group', id: 'g' }), { tenantId: 'acme' }],
  ['a deleted group', change('group.deleted', { part: 'user', id: 'usr_1' }), { tenantId: 'acme' }],
  ['a member who leaves, with keys', change('member.removed', { userId: 'usr_1' }), { tenantId: 'acme' }],
  ['a role', change('role.updated', { roleId: 'clerk' }), { tenantId: 'acme' }],
  ['a deleted user', noticed('users', 'user.deleted', { stream: 'usr_1' }), { principalId: 'usr_1' }],
  ['a deleted tenant', noticed('tenants', 'tenant.deleted'), { endedIn: 'acme' }],
  ['a deleted namespace', noticed('namespaces', 'namespace.deleted'), { endedIn: 'acme' }],
  ['a deleted topic', noticed('topics', 'topic.deleted'), { endedIn: 'acme' }],
  ['a deleted consumer', noticed('consumers', 'consumer.deleted'), { endedIn: 'acme' }],
  ['something missed', new Missed(), 'all'],
] as const)('%s invalidates the policies that it is about', (_, event, which) => {
  expect(commandsOf(AuthzSagas, event)).toEqual([new InvalidatePolicies(which)]);
});

it('invalidates no policy where no permission changes', () => {
  expect(commandsOf(AuthzSagas, noticed('users', 'user.renamed'), noticed('topics', 'topic.created'))).toEqual([]);
});
