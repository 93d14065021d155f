import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { Sql } from '../../../platform/postgres/database.js';
import { UserLifecycle } from '../../identity/index.js';
import { TenantLifecycle } from '../../tenancy/index.js';
import { MembershipRemoval } from './membership-removal.js';
import type { HeldTopRole, MemberCatalog } from './ports.js';

const SQL = {} as Sql;

/** What contexts call that know nothing of memberships, and what is removed. `kept`: the roles of the user that must not end with them. */
function stage(kept: readonly HeldTopRole[] = []) {
  const removed: unknown[] = [];
  const remove = (...what: unknown[]) => Promise.resolve(void removed.push(what.slice(1)));
  const members = {
    topRolesHeldBy: () => Promise.resolve(kept),
    removeUser: remove,
    removeTenant: remove,
    removeResource: remove,
  };
  const [tenants, users] = [new TenantLifecycle(), new UserLifecycle()];
  new MembershipRemoval(members as unknown as MemberCatalog, tenants, users).onModuleInit();
  return { tenants, users, removed };
}

it.each([
  ['an owner who is suspended leaves the tenant without one', 'acme', 'suspended', 'done'],
  ['an owner cannot be deleted', 'acme', 'deleted', 'last-holder'],
  ['an administrator of the system cannot be suspended', SYSTEM_TENANT, 'suspended', 'last-holder'],
  ['an administrator of the system cannot be deleted', SYSTEM_TENANT, 'deleted', 'last-holder'],
] as const)('where no one else is active: %s', async (_, tenantId, how, expected) => {
  const { users } = stage([{ tenantId, othersActive: false }]);
  const check = users.checkLeaving(SQL, 'usr_1', how);
  expect(
    await check.then(
      () => 'done',
      ({ code }: { code: string }) => code,
    ),
  ).toBe(expected);
});

it('an owner can be deleted where another one is active', async () => {
  const { users } = stage([{ tenantId: 'acme', othersActive: true }]);
  expect(await users.checkLeaving(SQL, 'usr_1', 'deleted')).toBeUndefined();
});

it('memberships end with their user, their tenant and their namespace', async () => {
  const { tenants, users, removed } = stage();
  await users.deleted(SQL, 'usr_1');
  await tenants.ended(SQL, 'acme');
  await tenants.namespaceEnded(SQL, { tenantId: 'acme', namespaceId: 'shop' } as Parameters<
    typeof tenants.namespaceEnded
  >[1]);
  expect(removed).toEqual([['usr_1'], ['acme'], ['acme', 'namespaces/shop']]);
});
