import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { member, newPerson, type Person } from '../support/api/strangers.js';
import { Workspace, type Page } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let tenant: string;
let owner: Person;
let admin: Person;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
  [owner, admin] = [await member(app, shop.tenant, 'owner'), await member(app, shop.tenant, 'admin')];
});

const EVERYTHING_OF_AN_ADMIN = ['member:*', 'role:*', 'group:*', 'permission:*', 'topic:*', 'event:*', 'namespace:*'];
const status = async (client: Client, method: string, path: string, body?: object): Promise<number> =>
  (await client.request(method, path, body)).status;
const deny = (client: Client, principal: object, actions = EVERYTHING_OF_AN_ADMIN, where = tenant): Promise<number> =>
  status(client, 'POST', `${where === '' ? '' : tenant}/permissions`, {
    principal,
    effect: 'deny',
    actions,
    resource: where === '' ? 'system' : `tenants/${shop.tenant}`,
  });
/** Lifts a denial with nothing but the API. */
async function liftAll(client: Client, where = tenant): Promise<void> {
  const { body } = await client.get<Page<{ id: string; effect: string }>>(`${where}/permissions`);
  for (const { id } of body.items.filter(({ effect }) => effect === 'deny'))
    expect(await status(client, 'DELETE', `${where}/permissions/${id}`)).toBe(204);
}

describe('an owner who is denied everything by an administrator of the tenant', () => {
  it.each([
    ['directly', () => deny(admin.client, { user: owner.userId })],
    ['by their role', () => deny(admin.client, { role: 'owner' })],
    [
      'by a group that they are put into later',
      async () => {
        await status(admin.client, 'POST', `${tenant}/groups`, { id: 'outcasts' });
        await deny(admin.client, { group: 'outcasts' });
        return status(admin.client, 'PUT', `${tenant}/groups/outcasts/members/${owner.userId}`);
      },
    ],
    [
      'by a role that they are given later',
      async () => {
        await status(admin.client, 'POST', `${tenant}/roles`, { id: 'outcast', actions: ['topic:read'] });
        await deny(admin.client, { role: 'outcast' });
        return status(admin.client, 'PUT', `${tenant}/users/${owner.userId}/roles/outcast`);
      },
    ],
  ])('%s cannot do anything, lifts the denial, and removes who imposed it', async (_, imposed) => {
    expect(await imposed()).toBeLessThan(300);
    expect(await status(owner.client, 'GET', shop.events())).toBe(403);
    expect(await status(owner.client, 'DELETE', `${tenant}/members/${admin.userId}`)).toBe(403);
    await liftAll(owner.client);
    expect(await status(owner.client, 'GET', shop.events())).toBe(200);
    expect(await status(owner.client, 'DELETE', `${tenant}/members/${admin.userId}`)).toBe(204);
  });

  it('sees what still applies: rights to lift denials cannot be denied', async () => {
    await deny(admin.client, { user: owner.userId }, ['permission:*', 'topic:read']);
    const path = `${tenant}/users/${owner.userId}/effective-permissions`;
    const { body } = await owner.client.get<{ permissions: { effect: string; actions: string[] }[] }>(path);
    expect(body.permissions.filter(({ effect }) => effect === 'deny').map(({ actions }) => actions)).toEqual([
      ['topic:read'],
    ]);
  });
});

it('a user who is not an owner cannot lift their own limits', async () => {
  expect(await deny(owner.client, { user: admin.userId }, ['topic:read'])).toBe(201);
  const { body } = await admin.client.get<Page<{ id: string }>>(`${tenant}/permissions`);
  const lifting = await admin.client.delete(`${tenant}/permissions/${body.items[0]!.id}`);
  expect([lifting.status, lifting.body.code]).toEqual([403, 'exceeds-own-permissions']);
});

it('a key of an owner cannot lift denials to the key, or give the denied rights to others', async () => {
  expect(await deny(owner.client, { apiKey: owner.keyId }, ['event:read'])).toBe(201);
  const session = await newPerson(app);
  const { body } = await owner.client.get<Page<{ id: string }>>(`${tenant}/permissions`);
  for (const answer of [
    await owner.client.delete(`${tenant}/permissions/${body.items[0]!.id}`),
    await owner.client.post(`${tenant}/permissions`, {
      principal: { user: session.userId },
      effect: 'allow',
      actions: ['event:read'],
      resource: `tenants/${shop.tenant}`,
    }),
  ])
    expect([answer.status, answer.body.code]).toEqual([403, 'exceeds-own-permissions']);
});

describe('a system administrator', () => {
  it('who is denied everything, in a tenant and in the system, lifts both', async () => {
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    expect(await deny(owner.client, { user: me.id })).toBe(201);
    const other = await newPerson(app);
    expect(await status(app.client, 'PUT', `/users/${other.userId}/roles/system-admin`)).toBe(200);
    expect(await deny(other.client, { role: 'system-admin' }, ['permission:*', 'user:*', 'tenant:*'], '')).toBe(201);
    expect(await status(app.client, 'GET', '/users')).toBe(403);
    await liftAll(app.client, '');
    await liftAll(app.client);
    expect(await status(app.client, 'GET', '/users')).toBe(200);
    expect(await status(app.client, 'DELETE', `/users/${other.userId}/roles/system-admin`)).toBe(204);
  });

  it('can deny to an owner what the owner cannot lift', async () => {
    expect(await deny(app.client, { user: owner.userId }, ['permission:*', 'topic:*'], '')).toBe(201);
    expect(await status(owner.client, 'GET', `${tenant}/permissions`)).toBe(403);
    await liftAll(app.client, '');
    expect(await status(owner.client, 'GET', `${tenant}/permissions`)).toBe(200);
  });
});
