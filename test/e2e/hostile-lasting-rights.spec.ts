import { sharedApp } from '../support/server/app.js';
import { must, statusOf, type Client } from '../support/api/client.js';
import { loggedIn, type Human } from '../support/api/people.js';
import { Workspace } from '../support/api/workspace.js';

/** Kind D of the security review: a grant does not outlive the resource and the membership that it belongs to. */

const app = await sharedApp();
let shop: Workspace;
let t: string;
let tenant: string;
let owner: Human;
let x: Human;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  [t, tenant] = [shop.tenant, `/tenants/${shop.tenant}`];
  owner = await loggedIn(app);
  x = await loggedIn(app);
  await must(app.client, 'PUT', `${tenant}/members/${owner.user.id}`, { roles: ['owner'] });
});

const join = (who: Human, ...roles: string[]) =>
  must(owner.login, 'PUT', `${tenant}/members/${who.user.id}`, { roles });
const grant = (principal: object, actions: string[], more: object = {}, by = owner.login) =>
  must(by, 'POST', `${tenant}/permissions`, { principal, effect: 'allow', actions, resource: `tenants/${t}`, ...more });
const reads = (client: Client): Promise<number> => statusOf(client, 'GET', shop.events());
it('a removed member keeps no grant in the tenant, and has none after joining again', async () => {
  await join(x, 'viewer');
  await must(owner.login, 'POST', `${tenant}/groups`, { id: 'readers' });
  await must(owner.login, 'PUT', `${tenant}/groups/readers/members/${x.user.id}`);
  await grant({ user: x.user.id }, ['event:publish', 'event:read', 'topic:read']);
  const key = await must<{ id: string; key: string }>(x.login, 'POST', '/users/me/api-keys', {
    name: 'k',
    actions: ['topic:read'],
  });
  await grant({ apiKey: key.id }, ['event:read']);
  await must(owner.login, 'DELETE', `${tenant}/members/${x.user.id}`);
  await must(owner.login, 'PATCH', `${tenant}/groups/readers`, { name: 'Renamed' });
  expect(await reads(x.login)).toBe(404);
  expect(await statusOf(x.login, 'POST', shop.events(), { type: 'a', data: 1 })).toBe(404);
  const { items } = await must<{ items: unknown[] }>(owner.login, 'GET', `${tenant}/groups/readers/members`);
  expect(items).toEqual([]);
  await join(x);
  expect([await reads(x.login), await reads(app.client.with({ 'x-api-key': key.key }))]).toEqual([404, 404]);
  await must(owner.login, 'PUT', `${tenant}/groups/readers/members/${x.user.id}`);
  const again = await must<{ items: { id: string }[] }>(owner.login, 'GET', `${tenant}/groups/readers/members`);
  expect(again.items.map(({ id }) => id)).toEqual([x.user.id]);
});

describe('a grant ends with the resource that it names', () => {
  it('a grant of the system with the tenant', async () => {
    await must(app.client, 'POST', '/permissions', {
      principal: { user: x.user.id },
      effect: 'allow',
      actions: ['topic:read', 'namespace:read'],
      resource: `tenants/${t}/namespaces/shop`,
    });
    const topics = `${tenant}/namespaces/shop/topics`;
    expect(await statusOf(x.login, 'GET', topics)).toBe(200);
    await must(app.client, 'DELETE', `${tenant}?force=true`);
    await must(app.client, 'POST', '/tenants', { id: t });
    await must(app.client, 'POST', `${tenant}/namespaces`, { id: 'shop' });
    await must(app.client, 'POST', topics, { id: 'new-secret' });
    expect(await statusOf(x.login, 'GET', topics)).toBe(404);
  });

  it.each([
    ['topic', 'DELETE', 'topics/orders'],
    ['namespace', 'DELETE', '?force=true'],
  ])('a grant of the tenant, and a role that is held there, with the %s', async (_, method, what) => {
    const orders = `tenants/${t}/namespaces/shop/topics/orders`;
    const there = `namespace=shop&topic=orders`;
    await grant({ user: x.user.id }, ['event:read'], { resource: orders });
    await must(owner.login, 'PUT', `${tenant}/users/${x.user.id}/roles/publisher?${there}`);
    await grant({ user: x.user.id }, ['topic:read'], { resource: `tenants/${t}/namespaces/shop/topics/ord*` });
    expect(await reads(x.login)).toBe(200);
    const shopPath = `${tenant}/namespaces/shop`;
    await must(owner.login, method, `${shopPath}${what.startsWith('?') ? '' : '/'}${what}`);
    if (what.startsWith('?')) await must(owner.login, 'POST', `${tenant}/namespaces`, { id: 'shop' });
    await must(owner.login, 'POST', `${shopPath}/topics`, { id: 'orders' });
    expect(await statusOf(x.login, 'POST', shop.events(), { type: 'a', data: 1 })).not.toBe(201);
    expect(await reads(x.login)).not.toBe(200);
    // A role can be given again for the new one, whatever the events say of the old.
    await must(owner.login, 'PUT', `${tenant}/users/${x.user.id}/roles/publisher?${there}`);
    expect(await statusOf(x.login, 'POST', shop.events(), { type: 'a', data: 1 })).toBe(201);
  });

  it('frees one of the twenty roles that a member may have', async () => {
    await join(x);
    const give = (n: number): Promise<number> =>
      statusOf(owner.login, 'PUT', `${tenant}/users/${x.user.id}/roles/publisher?namespace=passing&topic=t-${n}`);
    for (const round of [0, 1]) {
      await must(owner.login, 'POST', `${tenant}/namespaces`, { id: 'passing' });
      for (let n = 0; n < 20; n++) expect([round, n, await give(20 * round + n)]).toEqual([round, n, 200]);
      expect(await give(99)).toBe(409);
      await must(owner.login, 'DELETE', `${tenant}/namespaces/passing?force=true`);
    }
  });

  it('but no denial: deleting and creating a topic again does not remove one', async () => {
    const orders = `tenants/${t}/namespaces/shop/topics/orders`;
    await join(x, 'developer');
    await grant({ user: x.user.id }, ['event:read'], { effect: 'deny', resource: orders });
    await must(x.login, 'DELETE', `${tenant}/namespaces/shop/topics/orders`);
    await must(x.login, 'POST', `${tenant}/namespaces/shop/topics`, { id: 'orders' });
    expect(await reads(x.login)).toBe(403);
  });
});
