import { commandsOf, due, noticed, recorded, STOPPING } from '../../../../test/support/api/sagas.js';
import { Missed } from '../../../platform/sagas/index.js';
import { RevokeKeysOfUser } from './api-keys/user-key-revocation.js';
import { ForgetTokens, ForgetApiKeys } from './authentication/forget-credentials.js';
import { IDENTITY_SUBSCRIPTIONS, IdentitySagas } from './identity.sagas.js';

const dueUser = (type: string, data: object = {}) =>
  due(IDENTITY_SUBSCRIPTIONS, 'users', recorded(type, { stream: 'usr_1', recordedAt: 7, data: JSON.stringify(data) }));

it.each([
  [
    'an event of a user',
    noticed('users', 'user.suspended', { stream: 'usr_1' }),
    [new ForgetTokens({ userId: 'usr_1' }), new ForgetApiKeys({ userId: 'usr_1' })],
  ],
  [
    'the end of a session',
    noticed('sessions', 'session.ended', { stream: 'ses_1' }),
    [new ForgetTokens({ sessionId: 'ses_1' })],
  ],
  [
    'an event of a key',
    noticed('apiKeys', 'api-key.revoked', { stream: 'key_1' }),
    [new ForgetApiKeys({ keyId: 'key_1' })],
  ],
  ['an event of a tenant', noticed('tenants', 'tenant.deleted'), []],
  ['a gap in the events', new Missed(), [new ForgetTokens('everybody'), new ForgetApiKeys('everybody')]],
  ['a deleted user', dueUser('user.deleted'), [new RevokeKeysOfUser('usr_1', Infinity, 7, 'c', STOPPING)]],
  [
    'a new password that ends keys',
    dueUser('user.password-changed', { by: 'self', revokesApiKeys: true }),
    [new RevokeKeysOfUser('usr_1', 7, 7, 'c', STOPPING)],
  ],
  ['a new password', dueUser('user.password-changed', { by: 'self' }), []],
  ['a renamed user', dueUser('user.renamed'), []],
])('%s leads to its commands', (_, event, commands) => {
  expect(commandsOf(IdentitySagas, event)).toEqual(commands);
});
