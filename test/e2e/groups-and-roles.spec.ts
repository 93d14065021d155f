import { startApp, type TestApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { loggedIn } from '../support/api/people.js';
import { newPerson, type Person } from '../support/api/strangers.js';
import { Workspace, type Page } from '../support/api/workspace.js';

let app: TestApp;
let shop: Workspace;
let tenant: string;
let person: Person;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());
beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
  person = await newPerson(app);
});

const status = async (client: Client, method: string, path: string, body?: object): Promise<number> =>
  (await client.request(method, path, body)).status;
const code = async (client: Client, method: string, path: string, body?: object): Promise<string> =>
  (await client.request(method, path, body)).body.code;
const join = (roles: string[], whom = person): Promise<number> =>
  status(app.client, 'PUT', `${tenant}/members/${whom.userId}`, { roles });
const publish = (): Promise<number> => status(person.client, 'POST', shop.events(), { type: 't', data: 1 });

describe('groups', () => {
  it('give their members what their roles and grants allow, also when nested, until they leave', async () => {
    await join([]);
    for (const id of ['team', 'company']) await app.client.post(`${tenant}/groups`, { id });
    for (const path of [`team/members/${person.userId}`, 'company/groups/team', 'company/roles/publisher'])
      expect(await status(app.client, 'PUT', `${tenant}/groups/${path}`)).toBe(204);
    expect(await publish()).toBe(201);
    const { body } = await app.client.get<{ permissions: { via: object }[] }>(
      `${tenant}/users/${person.userId}/effective-permissions`,
    );
    expect(body.permissions.map(({ via }) => via)).toEqual([
      { kind: 'role', id: 'publisher', through: { kind: 'group', id: 'company' } },
    ]);
    expect(await status(app.client, 'DELETE', `${tenant}/groups/company/groups/team`)).toBe(204);
    expect(await publish()).toBe(404);
    const resource = `tenants/${shop.tenant}`;
    await app.client.post(`${tenant}/permissions`, {
      principal: { group: 'team' },
      effect: 'allow',
      actions: ['event:publish'],
      resource,
    });
    expect(await publish()).toBe(201);
    expect(await status(app.client, 'DELETE', `${tenant}/groups/team`)).toBe(204);
    expect(await publish()).toBe(404);
  });

  it('never contain themselves', async () => {
    for (const id of ['a', 'b', 'c']) await app.client.post(`${tenant}/groups`, { id });
    for (const path of ['a/groups/b', 'b/groups/c']) await app.client.request('PUT', `${tenant}/groups/${path}`);
    for (const path of ['c/groups/a', 'a/groups/a', 'b/groups/a'])
      expect(await code(app.client, 'PUT', `${tenant}/groups/${path}`)).toBe('group-cycle');
    const { body } = await app.client.get<{ items: { id: string }[] }>(`${tenant}/groups/c/groups`);
    expect(body.items).toEqual([]);
  });

  it('accept only members, groups and roles of the tenant', async () => {
    await app.client.post(`${tenant}/groups`, { id: 'a' });
    expect(await code(app.client, 'PUT', `${tenant}/groups/a/members/${person.userId}`)).toBe('member-not-found');
    expect(await code(app.client, 'PUT', `${tenant}/groups/a/groups/none`)).toBe('group-not-found');
    expect(await code(app.client, 'PUT', `${tenant}/groups/a/roles/system-admin`)).toBe('role-not-found');
    expect(await code(app.client, 'PUT', `${tenant}/groups/none/members/${person.userId}`)).toBe('group-not-found');
  });
});

describe('custom roles', () => {
  it('change for all their holders at once', async () => {
    const made = await app.client.post<{ actions: string[] }>(`${tenant}/roles`, {
      id: 'clerk',
      actions: ['topic:read'],
    });
    expect([made.status, made.body.actions]).toEqual([201, ['topic:read']]);
    await join(['clerk']);
    expect(await publish()).toBe(403);
    expect(await status(app.client, 'PATCH', `${tenant}/roles/clerk`, { actions: ['topic:*', 'event:publish'] })).toBe(
      200,
    );
    expect(await publish()).toBe(201);
    expect(await code(app.client, 'DELETE', `${tenant}/roles/clerk`)).toBe('role-in-use');
    await join([]);
    expect(await status(app.client, 'DELETE', `${tenant}/roles/clerk`)).toBe(204);
    expect(await status(app.client, 'GET', `${tenant}/roles/clerk`)).toBe(404);
  });

  it('of one tenant do not exist in another', async () => {
    const other = await Workspace.create(app.client);
    await app.client.post(`/tenants/${other.tenant}/roles`, { id: 'clerk', actions: ['event:publish'] });
    expect(await join(['clerk'])).toBe(404);
  });
});

describe('no one gives rights that they do not hold', () => {
  beforeEach(() => join(['admin']));

  it('an admin makes and removes no owner, and does not grant the deletion of the tenant', async () => {
    const friend = await newPerson(app);
    const refused: [string, string, object?][] = [
      ['PUT', `${tenant}/members/${friend.userId}`, { roles: ['owner'] }],
      ['PUT', `${tenant}/users/${person.userId}/roles/owner`],
      ['POST', `${tenant}/roles`, { id: 'more', actions: ['tenant:delete'] }],
      ['POST', `${tenant}/roles`, { id: 'all', actions: ['*'] }],
      [
        'POST',
        `${tenant}/permissions`,
        {
          principal: { user: person.userId },
          effect: 'allow',
          actions: ['tenant:delete'],
          resource: `tenants/${shop.tenant}`,
        },
      ],
    ];
    for (const [method, path, body] of refused)
      expect([path, await code(person.client, method, path, body)]).toEqual([path, 'exceeds-own-permissions']);
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    expect(await code(person.client, 'DELETE', `${tenant}/members/${me.id}`)).toBe('exceeds-own-permissions');
    expect(await status(person.client, 'PUT', `${tenant}/members/${friend.userId}`, { roles: ['admin'] })).toBe(200);
  });

  it('no one joins a group that gives more', async () => {
    await app.client.post(`${tenant}/groups`, { id: 'bosses' });
    await app.client.request('PUT', `${tenant}/groups/bosses/roles/owner`);
    const path = `${tenant}/groups/bosses/members/${person.userId}`;
    expect(await code(person.client, 'PUT', path)).toBe('exceeds-own-permissions');
    await app.client.post(`${tenant}/groups`, { id: 'inner' });
    await app.client.request('PUT', `${tenant}/groups/bosses/groups/inner`);
    expect(await code(person.client, 'PUT', `${tenant}/groups/inner/members/${person.userId}`)).toBe(
      'exceeds-own-permissions',
    );
  });

  it('a system administrator opens the events of one tenant, for an hour at most, with a login', async () => {
    const { user, login } = await loggedIn(app);
    expect(await status(app.client, 'PUT', `/users/${user.id}/roles/system-admin`)).toBe(200);
    expect(await status(login, 'GET', tenant)).toBe(200);
    expect(await status(login, 'GET', shop.events())).toBe(403);
    const { body: key } = await login.post<{ key: string }>('/users/me/api-keys', { name: 'k' });
    const open = (client: Client, minutes: number, resource = `tenants/${shop.tenant}`): Promise<number> =>
      status(client, 'POST', resource === 'system' ? '/permissions' : `${tenant}/permissions`, {
        principal: { user: user.id },
        effect: 'allow',
        actions: ['event:read'],
        resource,
        constraints: { validUntil: new Date(Date.now() + minutes * 60_000).toISOString() },
      });
    const byKey = app.client.with({ 'x-api-key': key.key });
    expect([await open(login, 61), await open(byKey, 59), await open(login, 59, 'system')]).toEqual([403, 403, 403]);
    expect(await open(login, 59)).toBe(201);
    expect(await status(login, 'GET', shop.events())).toBe(200);
    expect(await status(app.client, 'DELETE', `/users/${user.id}/roles/system-admin`)).toBe(204);
    expect(await status(login, 'GET', shop.events())).toBe(200);
    expect(await status(login, 'GET', tenant)).toBe(403);
  });
});

describe('what the system and a tenant both have', () => {
  const kinds = ['roles', 'permissions'];

  it('is evaluated for the requested place, whichever was requested first', async () => {
    await join(['owner']);
    for (const kind of [...kinds, ...kinds]) {
      expect([kind, await status(app.client, 'GET', `/${kind}`)]).toEqual([kind, 200]);
      expect([kind, await status(person.client, 'GET', `${tenant}/${kind}`)]).toEqual([kind, 200]);
      expect([kind, await status(person.client, 'GET', `/${kind}`)]).toEqual([kind, 403]);
    }
    const role = `users/${person.userId}/roles/viewer`;
    expect(await code(person.client, 'PUT', `/${role}`)).toBe('permission-denied');
    expect(await status(person.client, 'PUT', `${tenant}/${role}`)).toBe(200);
    expect(await code(person.client, 'GET', `/users/${person.userId}/effective-permissions`)).toBe('permission-denied');
    expect(await status(person.client, 'GET', `${tenant}/users/${person.userId}/effective-permissions`)).toBe(200);
  });

  it('is not opened in the system by a grant in all tenants', async () => {
    const granted = { principal: { user: person.userId }, effect: 'allow', actions: ['role:read', 'permission:read'] };
    expect(await status(app.client, 'POST', '/permissions', { ...granted, resource: 'tenants/*' })).toBe(201);
    for (const kind of kinds) {
      expect([kind, await status(person.client, 'GET', `${tenant}/${kind}`)]).toEqual([kind, 200]);
      expect([kind, await status(person.client, 'GET', `/${kind}`)]).toEqual([kind, 403]);
    }
  });
});

describe('the last', () => {
  it('owner of a tenant stays, also when several leave at once', async () => {
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    expect(await code(app.client, 'DELETE', `${tenant}/members/${me.id}`)).toBe('last-holder');
    expect(await code(app.client, 'PATCH', `${tenant}/members/${me.id}`, { roles: ['admin'] })).toBe('last-holder');
    await join(['owner']);
    const both = [me.id, person.userId].map((id) => status(app.client, 'DELETE', `${tenant}/members/${id}`));
    // A user who has already left cannot remove the other any more.
    expect([
      [204, 403],
      [204, 409],
    ]).toContainEqual((await Promise.all(both)).toSorted());
    const { body } = await app.client.get<Page<{ roles: string[] }>>(`${tenant}/members`);
    expect(body.items.flatMap(({ roles }) => roles)).toEqual(['owner']);
  });

  it('owner of a tenant is not deleted either; any other deleted user leaves all their tenants', async () => {
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    await join(['owner']);
    expect(await status(app.client, 'DELETE', `${tenant}/members/${me.id}`)).toBe(204);
    expect(await code(app.client, 'DELETE', `/users/${person.userId}`)).toBe('last-holder');
    const other = await newPerson(app);
    expect(await status(person.client, 'PUT', `${tenant}/members/${other.userId}`, { roles: ['owner'] })).toBe(200);
    expect(await status(app.client, 'DELETE', `/users/${person.userId}`)).toBe(204);
    const { body } = await other.client.get<{ items: { userId: string }[] }>(`${tenant}/members`);
    expect(body.items.map(({ userId }) => userId)).toEqual([other.userId]);
    expect(await status(person.client, 'GET', tenant)).toBe(401);
  });

  it('system administrator stays', async () => {
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    expect(await code(app.client, 'DELETE', `/users/${me.id}/roles/system-admin`)).toBe('last-holder');
  });
});

describe('a check', () => {
  it('explains what would be allowed, for the caller and, with permission, for others', async () => {
    await join(['publisher']);
    const ask = async (client: Client, body: object): Promise<object> => (await client.post('/authz/check', body)).body;
    const resource = `tenants/${shop.tenant}/namespaces/shop/topics/orders`;
    expect(await ask(person.client, { action: 'event:publish', resource })).toMatchObject({
      allowed: true,
      reason: 'allowed',
      grants: [{ via: { kind: 'role', id: 'publisher' }, resource: `tenants/${shop.tenant}` }],
    });
    expect(await ask(person.client, { action: 'topic:delete', resource })).toMatchObject({
      allowed: false,
      reason: 'not-allowed',
      grants: [],
    });
    expect(
      await ask(app.client, { principal: { user: person.userId }, action: 'event:publish', resource }),
    ).toMatchObject({ allowed: true });
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    expect(await ask(person.client, { principal: { user: me.id }, action: 'event:publish', resource })).toMatchObject({
      code: 'permission-denied',
    });
    expect(await ask(person.client, { action: 'event:fly', resource })).toMatchObject({ status: 400 });
  });
});
