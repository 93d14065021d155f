import { sharedApp } from '../support/server/app.js';
import { inMs } from '../support/api/api-keys.js';
import { must, statusOf, type Client } from '../support/api/client.js';
import { loggedIn, type Human, type User } from '../support/api/people.js';
import { Workspace } from '../support/api/workspace.js';

/** Kind A of the security review: no one gets more rights than they hold, in any way. */

const app = await sharedApp();
let shop: Workspace;
let t: string;
let tenant: string;
let owner: Human;
let x: Human;

const HOUR_MS = 3_600_000;
const EXCEEDS = [403, 'exceeds-own-permissions'];

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  [t, tenant] = [shop.tenant, `/tenants/${shop.tenant}`];
  owner = await loggedIn(app);
  x = await loggedIn(app);
  await must(app.client, 'PUT', `${tenant}/members/${owner.user.id}`, { roles: ['owner'] });
});

async function refusal(client: Client, method: string, path: string, body?: object): Promise<unknown[]> {
  const { status, body: problem } = await client.request(method, path, body);
  return [status, problem?.code];
}
const join = (who: Human, ...roles: string[]) =>
  must(owner.login, 'PUT', `${tenant}/members/${who.user.id}`, { roles });
const grant = (principal: object, actions: string[], more: object = {}, by = owner.login) =>
  must(by, 'POST', `${tenant}/permissions`, { principal, effect: 'allow', actions, resource: `tenants/${t}`, ...more });
const reads = (client: Client): Promise<number> => statusOf(client, 'GET', shop.events());
const administrator = async (): Promise<Human> => {
  const one = await loggedIn(app);
  await must(app.client, 'PUT', `/users/${one.user.id}/roles/system-admin`);
  return one;
};

describe('grants to a role or a group count when the role or the membership is given', () => {
  it('a people manager cannot take a role to which more is granted than they hold, nor through a group', async () => {
    const actions = ['tenant:read', 'member:read', 'member:manage', 'group:manage'];
    await must(owner.login, 'POST', `${tenant}/roles`, { id: 'people-manager', actions });
    await must(owner.login, 'POST', `${tenant}/roles`, { id: 'deputy', actions: ['tenant:read'] });
    await grant({ role: 'deputy' }, ['tenant:delete', 'permission:grant', 'event:read', 'event:publish']);
    await join(x, 'people-manager');
    expect(await refusal(x.login, 'PUT', `${tenant}/users/${x.user.id}/roles/deputy`)).toEqual(EXCEEDS);
    expect(await refusal(x.login, 'PUT', `${tenant}/members/${x.user.id}`, { roles: ['deputy'] })).toEqual(EXCEEDS);
    await must(x.login, 'POST', `${tenant}/groups`, { id: 'mine' });
    await must(x.login, 'PUT', `${tenant}/groups/mine/members/${x.user.id}`);
    expect(await refusal(x.login, 'PUT', `${tenant}/groups/mine/roles/deputy`)).toEqual(EXCEEDS);
    expect(await refusal(x.login, 'DELETE', tenant)).toEqual([403, 'permission-denied']);
    expect(await reads(x.login)).toBe(403);
  });
});

describe('a denial is not lost by leaving what carries it', () => {
  const DENIAL = { effect: 'deny' };
  const stillDenied = async (): Promise<void> => expect(await reads(x.login)).toBe(403);

  it('not by leaving the group, by its deletion, by taking out a nested one, or by leaving the tenant', async () => {
    for (const id of ['restricted', 'inner']) await must(owner.login, 'POST', `${tenant}/groups`, { id });
    await grant({ group: 'restricted' }, ['event:read'], DENIAL);
    await must(owner.login, 'PUT', `${tenant}/groups/restricted/groups/inner`);
    await join(x, 'admin');
    await must(owner.login, 'PUT', `${tenant}/groups/inner/members/${x.user.id}`);
    for (const path of [
      `groups/inner/members/${x.user.id}`,
      'groups/restricted',
      'groups/inner',
      'groups/restricted/groups/inner',
      `members/${x.user.id}`,
    ])
      expect([path, ...(await refusal(x.login, 'DELETE', `${tenant}/${path}`))]).toEqual([path, ...EXCEEDS]);
    await stillDenied();
  });

  it('not by returning the role', async () => {
    await must(owner.login, 'POST', `${tenant}/roles`, { id: 'contractor', actions: ['topic:read'] });
    await grant({ role: 'contractor' }, ['event:read'], DENIAL);
    await join(x, 'admin', 'contractor');
    for (const [method, path, body] of [
      ['DELETE', `users/${x.user.id}/roles/contractor`],
      ['PATCH', `members/${x.user.id}`, { roles: ['admin'] }],
      ['PUT', `members/${x.user.id}`, { roles: ['admin'] }],
    ] as const)
      expect([method, ...(await refusal(x.login, method, `${tenant}/${path}`, body))]).toEqual([method, ...EXCEEDS]);
    await stillDenied();
  });

  it('not by a friend who removes and adds the user again, nor for a denial to a key', async () => {
    const key = await must<{ id: string; key: string }>(x.login, 'POST', '/users/me/api-keys', { name: 'k' });
    const friend = await loggedIn(app);
    await join(x, 'admin');
    await join(friend, 'admin');
    await grant({ user: friend.user.id }, ['event:read'], DENIAL);
    await grant({ apiKey: key.id }, ['event:read'], DENIAL);
    expect(await refusal(friend.login, 'DELETE', `${tenant}/members/${x.user.id}`)).toEqual(EXCEEDS);
    expect(await reads(app.client.with({ 'x-api-key': key.key }))).toBe(403);
  });
});

describe('a system administrator reaches no events through another user', () => {
  it('not by a key for an owner, unless it is limited to the rights of the administrator', async () => {
    const admin = await administrator();
    const keys = `/users/${owner.user.id}/api-keys`;
    expect(await refusal(admin.login, 'POST', keys, { name: 'mine', expiresAt: null })).toEqual([
      403,
      'api-key-exceeds-own',
    ]);
    expect(await statusOf(admin.login, 'POST', keys, { name: 'mine', actions: ['event:read'] })).toBe(403);
    const limited = { name: 'mine', actions: ['topic:read'], scopes: [{ tenant: t }] };
    const made = await must<{ id: string; key: string }>(admin.login, 'POST', keys, limited);
    const client = app.client.with({ 'x-api-key': made.key });
    expect([await statusOf(client, 'GET', `${tenant}/namespaces/shop/topics`), await reads(client)]).toEqual([
      200, 403,
    ]);
    // Nor by one that is created before the user is an owner, or anything.
    const later = await loggedIn(app);
    const keysOfLater = `/users/${later.user.id}/api-keys`;
    for (const body of [{ name: 'mine' }, { name: 'mine', actions: ['event:read'] }])
      expect(await refusal(admin.login, 'POST', keysOfLater, body)).toEqual([403, 'api-key-exceeds-own']);
    expect(await statusOf(admin.login, 'POST', keysOfLater, { name: 'mine', actions: ['user:read'] })).toBe(201);
    const whole = await must(owner.login, 'POST', '/users/me/api-keys', { name: 'whole' });
    expect(await statusOf(admin.login, 'POST', `${keys}/${whole.id}/rotate`, {})).toBe(403);
  });

  it('not by changing the e-mail of an owner to get the new password, nor by becoming an owner', async () => {
    const admin = await administrator();
    const email = `moved.${owner.user.email}`;
    expect(await refusal(admin.login, 'PATCH', `/users/${owner.user.id}`, { email })).toEqual(EXCEEDS);
    const self = `${tenant}/members/${admin.user.id}`;
    for (const roles of [['owner'], ['viewer']])
      expect(await refusal(admin.login, 'PUT', self, { roles })).toEqual(EXCEEDS);
    const nobody = await loggedIn(app);
    expect(await statusOf(admin.login, 'PATCH', `/users/${nobody.user.id}`, { email: `m.${nobody.user.email}` })).toBe(
      200,
    );
  });
});

it('rights from grants count for users who are not members: no key for them, no new e-mail', async () => {
  await app.client.post('/roles', { id: 'help-desk', actions: ['user:read', 'user:update', 'api-key:create'] });
  const help = await loggedIn(app);
  await must(app.client, 'PUT', `/users/${help.user.id}/roles/help-desk`);
  await grant({ user: x.user.id }, ['event:read', 'permission:grant', 'tenant:delete']);
  expect(await refusal(help.login, 'POST', `/users/${x.user.id}/api-keys`, { name: 'x' })).toEqual([
    403,
    'api-key-exceeds-own',
  ]);
  expect(await refusal(help.login, 'PATCH', `/users/${x.user.id}`, { email: 'evil@example.test' })).toEqual(EXCEEDS);
});

it('break-glass access needs the login of an administrator, in one tenant, and works with no key', async () => {
  const admin = await administrator();
  const open = (
    client: Client,
    path: string,
    resource: string,
    user: User,
    actions = ['event:read', 'event:publish'],
  ) =>
    refusal(client, 'POST', path, {
      principal: { user: user.id },
      effect: 'allow',
      actions,
      resource,
      constraints: { validUntil: inMs(HOUR_MS / 2) },
    });
  const bounded = { name: 'g', actions: ['permission:grant'], scopes: [{ tenant: t }] };
  for (const body of [bounded, { name: 'whole' }]) {
    const key = await must<{ key: string }>(admin.login, 'POST', '/users/me/api-keys', body);
    const byKey = app.client.with({ 'x-api-key': key.key });
    expect(await open(byKey, `${tenant}/permissions`, `tenants/${t}`, x.user)).toEqual(EXCEEDS);
  }
  expect(await open(admin.login, '/permissions', 'system', admin.user)).toEqual(EXCEEDS);
  expect(await open(admin.login, '/permissions', 'tenants/*', admin.user)).toEqual(EXCEEDS);
  expect(await reads(x.login)).toBe(404);
  const [opened] = await open(admin.login, `${tenant}/permissions`, `tenants/${t}`, admin.user);
  expect([opened, await reads(admin.login)]).toEqual([201, 200]);
});

describe('a denial of another tenant to a key', () => {
  it('is refused if its owner has nothing there, as for a missing key', async () => {
    const key = await must(x.login, 'POST', '/users/me/api-keys', { name: 'mine' });
    const denial = { effect: 'deny', actions: ['topic:read'], resource: `tenants/${t}` };
    const answers = [key.id, 'key_unknown'].map((apiKey) =>
      owner.login.post(`${tenant}/permissions`, { ...denial, principal: { apiKey } }),
    );
    for (const { status: code, body } of await Promise.all(answers))
      expect([code, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'grant-invalid', '/principal/apiKey']);
  });

  it('does not prevent creating keys that do not concern that tenant', async () => {
    const mine = await Workspace.create(app.client);
    await must(app.client, 'PUT', `/tenants/${mine.tenant}/members/${x.user.id}`, { roles: ['owner'] });
    await join(x);
    const key = await must<{ id: string; key: string }>(x.login, 'POST', '/users/me/api-keys', { name: 'mine' });
    await grant({ apiKey: key.id }, ['topic:read'], { effect: 'deny' });
    const byKey = app.client.with({ 'x-api-key': key.key });
    expect(await statusOf(byKey, 'POST', '/users/me/api-keys', { name: 'other' })).toBe(201);
    await join(x, 'viewer');
    const refused = await byKey.post('/users/me/api-keys', { name: 'other' });
    expect([refused.status, refused.body.code]).toEqual([403, 'api-key-exceeds-own']);
    expect(refused.text).not.toContain(t);
    expect(
      await statusOf(byKey, 'POST', '/users/me/api-keys', { name: 'other', scopes: [{ tenant: mine.tenant }] }),
    ).toBe(201);
  });
});

it('an allow is revoked only by callers that hold it', async () => {
  await must(owner.login, 'POST', `${tenant}/roles`, {
    id: 'granter',
    actions: ['permission:grant', 'permission:read'],
  });
  await join(x, 'granter');
  const { id } = await grant({ user: x.user.id }, ['topic:delete'], {
    resource: `tenants/${t}/namespaces/shop/topics/orders`,
    constraints: { validUntil: inMs(HOUR_MS) },
  });
  expect(await refusal(x.login, 'DELETE', `${tenant}/permissions/${id}`)).toEqual(EXCEEDS);
  expect(await statusOf(owner.login, 'DELETE', `${tenant}/permissions/${id}`)).toBe(204);
});

it('a tenant takes no rights from system administrators', async () => {
  const admin = await administrator();
  const auditor = await loggedIn(app);
  await must(app.client, 'PUT', `/users/${auditor.user.id}/roles/system-auditor`);
  await grant({ user: auditor.user.id }, ['audit:read', 'permission:read'], { effect: 'deny' });
  await grant({ user: admin.user.id }, ['tenant:delete', 'tenant:update', 'permission:read'], { effect: 'deny' });
  for (const path of ['audit', 'permissions'])
    expect([path, await statusOf(auditor.login, 'GET', `${tenant}/${path}`)]).toEqual([path, 200]);
  expect(await statusOf(admin.login, 'PATCH', tenant, { name: 'Seen' })).toBe(200);
});

it('no key is created for a tenant in which its owner has nothing, existing or not', async () => {
  for (const tenantId of [t, 'no-such-tenant']) {
    const scopes = [{ tenant: tenantId }];
    const { status: code, body } = await x.login.post('/users/me/api-keys', { name: 'k', scopes });
    expect([code, body.code, body.errors?.[0]?.pointer]).toEqual([400, 'api-key-invalid', '/scopes/0']);
  }
  await join(x, 'viewer');
  expect(await statusOf(x.login, 'POST', '/users/me/api-keys', { name: 'k', scopes: [{ tenant: t }] })).toBe(201);
});

it('a key gives no one in the system what a tenant denies to it, also if only the key is named there', async () => {
  const admin = await administrator();
  const key = await must<{ id: string; key: string }>(admin.login, 'POST', '/users/me/api-keys', { name: 'k' });
  const known = await grant({ user: admin.user.id }, ['topic:read']);
  await grant({ apiKey: key.id }, ['topic:read'], { effect: 'deny' });
  await must(owner.login, 'DELETE', `${tenant}/permissions/${known.id}`);
  const opening = {
    principal: { user: x.user.id },
    effect: 'allow',
    actions: ['topic:read'],
    resource: `tenants/${t}`,
  };
  const byKey = app.client.with({ 'x-api-key': key.key });
  expect(await refusal(byKey, 'POST', '/permissions', opening)).toEqual(EXCEEDS);
  expect(await statusOf(admin.login, 'POST', '/permissions', opening)).toBe(201);
});
