import { commandsOf, due, noticed, recorded, STOPPING } from '../../../../test/support/api/sagas.js';
import { Missed } from '../../../platform/sagas/index.js';
import { CompleteTenant } from './complete-tenant.js';
import { RemoveNamespaceContents } from './namespace-removal.js';
import { TENANCY_SUBSCRIPTIONS, TenancySagas } from './tenancy.sagas.js';
import { AnnounceTenantEnd } from './tenant-end-waiter.js';
import { ForgetTenantGate } from './tenant-gates.js';

const NAMESPACE = { tenantId: 'acme', namespaceId: 'shop', namespaceUid: 'life-1' };
const FOUNDING = { name: 'Acme', tenantUid: 'life-1', founder: 'usr_1', owner: 'usr_2' };
const [deleted, created] = [
  recorded('namespace.deleted', { schemaVersion: 2, data: JSON.stringify({ ...NAMESPACE, forced: true }) }),
  recorded('tenant.created', { stream: 'acme', schemaVersion: 4, recordedAt: 7, data: JSON.stringify(FOUNDING) }),
];

it.each([
  ['any event of a tenant', noticed('tenants', 'tenant.renamed', { stream: 'acme' }), [new ForgetTenantGate('acme')]],
  [
    'the end of a tenant',
    noticed('tenants', 'tenant.deleted', { stream: 'acme', position: 9 }),
    [new ForgetTenantGate('acme'), new AnnounceTenantEnd('acme', 9)],
  ],
  ['an event of a namespace', noticed('namespaces', 'namespace.deleted'), []],
  ['something missed', new Missed(), [new ForgetTenantGate(null)]],
  [
    'a tenant that was created',
    due(TENANCY_SUBSCRIPTIONS, 'tenants', created),
    [new CompleteTenant({ tenantId: 'acme', tenantUid: 'life-1' }, ['usr_2', 'usr_1'], 7, 'c', STOPPING)],
  ],
  [
    'an event of a tenant that is not known',
    due(TENANCY_SUBSCRIPTIONS, 'tenants', recorded('tenant.of-a-newer-version')),
    [],
  ],
  [
    'a namespace that was deleted',
    due(TENANCY_SUBSCRIPTIONS, 'namespaces', { ...deleted, correlationId: null }),
    [new RemoveNamespaceContents({ ...NAMESPACE, forced: true } as typeof NAMESPACE, 'evt_1')],
  ],
  ['a namespace that was renamed', due(TENANCY_SUBSCRIPTIONS, 'namespaces', recorded('namespace.renamed')), []],
])('%s leads to its commands', (_, event, commands) => {
  expect(commandsOf(TenancySagas, event)).toEqual(commands);
});
