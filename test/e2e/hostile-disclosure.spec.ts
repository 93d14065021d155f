import { sharedApp } from '../support/server/app.js';
import { Keys } from '../support/api/api-keys.js';
import type { Client } from '../support/api/client.js';
import { member, newPerson, type Person } from '../support/api/strangers.js';
import { Workspace, type Page } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let other: Workspace;
let owner: Person;

beforeEach(async () => {
  [shop, other] = await Promise.all([Workspace.create(app.client), Workspace.create(app.client)]);
  owner = await member(app, shop.tenant, 'owner');
});

const grant = async (tenant: string | null, principal: object, actions: string[], rest: object): Promise<string> => {
  const body = { principal, effect: 'allow', actions, ...rest };
  const path = tenant === null ? '/permissions' : `/tenants/${tenant}/permissions`;
  const answer = await app.client.post<{ id: string }>(path, body);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.id;
};
const ask = async (client: Client, body: object) =>
  (
    await client.post<{ allowed: boolean; reason: string; grants: { via: object }[]; code?: string }>(
      '/authz/check',
      body,
    )
  ).body;
const suspend = (workspace: Workspace, reason: string) =>
  app.client.post(`/tenants/${workspace.tenant}/suspend`, { reason });
const MARK = '198.51.100.7/32';

describe('the rights of a user', () => {
  const effective = (userId: string, client = owner.client) =>
    client.get<{ permissions: { via: { kind: string }; resource: string }[]; code?: string }>(
      `/tenants/${shop.tenant}/users/${userId}/effective-permissions`,
    );

  it('are shown in a tenant as far as they are held there', async () => {
    const both = await member(app, shop.tenant, 'viewer');
    const constraints = { sourceCidrs: [MARK] };
    const ids = [
      await grant(other.tenant, { user: both.userId }, ['topic:read'], {
        resource: `tenants/${other.tenant}`,
        constraints,
      }),
      await grant(null, { user: both.userId }, ['topic:read'], { resource: `tenants/${other.tenant}`, constraints }),
      await grant(null, { user: both.userId }, ['topic:create'], {
        resource: 'tenants/t-*/namespaces/shop',
        constraints,
      }),
    ];
    const { body, text } = await effective(both.userId);
    expect(body.permissions).toEqual([
      expect.objectContaining({ via: { kind: 'role', id: 'viewer' }, resource: `tenants/${shop.tenant}` }),
      {
        via: { kind: 'system' },
        effect: 'allow',
        actions: ['topic:create'],
        resource: `tenants/${shop.tenant}/namespaces/shop`,
        conditional: true,
      },
    ]);
    for (const hidden of [other.tenant, MARK, 't-*', ...ids]) expect(text).not.toContain(hidden);
  });

  it('are not found for a user without rights there, whether the user exists or not', async () => {
    const abroad = await member(app, other.tenant, 'owner');
    const [known, unknown] = [await effective(abroad.userId), await effective('usr_nobody')];
    expect([known.status, known.body.code]).toEqual([404, 'member-not-found']);
    expect([unknown.status, unknown.body.code]).toEqual([404, 'member-not-found']);
    const idle = await member(app, shop.tenant);
    expect(await effective(idle.userId)).toMatchObject({ status: 200, body: { permissions: [] } });
  });

  it('of a system administrator are shown as of the system, to administrators in full', async () => {
    const operator = await newPerson(app);
    await app.client.request('PUT', `/users/${operator.userId}/roles/system-operator`);
    const { body, text } = await effective(operator.userId);
    expect(body.permissions.map(({ via, resource }) => [via, resource])).toEqual([
      [{ kind: 'system' }, `tenants/${shop.tenant}`],
    ]);
    expect(text).not.toContain('system-operator');
    const whole = await app.client.get(`/users/${operator.userId}/effective-permissions`);
    expect(whole.text).toContain('system-operator');
  });

  it('are explained to others in the same way', async () => {
    const both = await member(app, shop.tenant, 'viewer');
    const resource = `tenants/${shop.tenant}`;
    const id = await grant(null, { user: both.userId }, ['topic:create'], {
      resource: 'tenants/t-*',
      constraints: { validUntil: '2090-01-01T00:00:00Z' },
    });
    const toOwner = await ask(owner.client, { principal: { user: both.userId }, action: 'topic:create', resource });
    expect(toOwner).toMatchObject({
      allowed: true,
      grants: [{ via: { kind: 'system' }, resource, conditional: true }],
    });
    const toHimself = await ask(both.client, { action: 'topic:create', resource });
    expect(toHimself.grants).toMatchObject([{ via: { kind: 'grant', id }, resource: 'tenants/t-*' }]);
  });
});

describe('a permission check', () => {
  it('has one response for a stranger, whether the tenant exists and whether it is suspended', async () => {
    const stranger = await newPerson(app);
    await suspend(other, 'unpaid invoice');
    const answers = [];
    for (const tenant of [shop.tenant, other.tenant, 't-that-is-none'])
      for (const action of ['tenant:read', 'event:read'])
        answers.push(await ask(stranger.client, { action, resource: `tenants/${tenant}` }));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([
        JSON.stringify({
          allowed: false,
          reason: 'not-allowed',
          limitedToTypes: false,
          rateLimited: false,
          grants: [],
        }),
      ]),
    );
  });

  it('shows of a suspended or missing tenant what its route shows', async () => {
    await suspend(shop, 'unpaid invoice');
    const question = { action: 'topic:create', resource: `tenants/${shop.tenant}` };
    expect(await ask(owner.client, question)).toMatchObject({ allowed: false, reason: 'tenant-suspended' });
    expect(await ask(app.client, { action: 'tenant:read', resource: 'tenants/t-none' })).toMatchObject({
      allowed: false,
      reason: 'tenant-not-found',
    });
  });

  it('for a key evaluates both its own denials and bounds, and the rights of its owner', async () => {
    const keys = new Keys(owner.client);
    const key = await keys.create();
    const action = 'event:publish';
    const resource = `tenants/${shop.tenant}/namespaces/shop/topics/orders`;
    const id = await grant(shop.tenant, { apiKey: key.id }, [action], {
      effect: 'deny',
      resource,
      constraints: { eventTypes: ['payroll.*'] },
    });
    const about = (eventType?: string) => ({ principal: { apiKey: key.id }, action, resource, context: { eventType } });
    const admin = await member(app, shop.tenant, 'admin');
    for (const asking of [owner.client, keys.as(key.key), admin.client, app.client]) {
      expect(await ask(asking, about('payroll.paid'))).toMatchObject({ allowed: false, reason: 'denied' });
      const open = await ask(asking, about());
      expect(open).toMatchObject({ allowed: true, limitedToTypes: true });
      expect(open.grants.map(({ via }) => via)).toEqual([
        { kind: 'role', id: 'owner' },
        { kind: 'grant', id },
      ]);
    }
    const outsider = await member(app, other.tenant, 'owner');
    expect(await ask(outsider.client, about())).toMatchObject({ code: 'permission-denied' });
  });

  it('about a key of a user outside the tenant has the response for a missing key', async () => {
    const abroad = await member(app, other.tenant, 'owner');
    const question = (apiKey: string) => ({
      principal: { apiKey },
      action: 'tenant:read',
      resource: `tenants/${shop.tenant}`,
    });
    expect(await ask(owner.client, question(abroad.keyId))).toEqual(await ask(owner.client, question('key_none')));
  });

  it('by a key for one tenant shows no rights that its owner holds elsewhere', async () => {
    await app.client.request('PUT', `/tenants/${other.tenant}/members/${owner.userId}`, { roles: ['viewer'] });
    const keys = new Keys(owner.client);
    const client = keys.as((await keys.create({ scopes: [{ tenant: shop.tenant }] })).key);
    await grant(null, { user: owner.userId }, ['topic:read'], { resource: `tenants/${other.tenant}` });
    const resource = `tenants/${other.tenant}`;
    for (const principal of [undefined, { user: owner.userId }])
      expect(await ask(client, { principal, action: 'topic:read', resource })).toMatchObject({
        reason: 'not-allowed',
        grants: [],
      });
    expect((await client.get('/auth/me')).text).not.toContain(other.tenant);
    expect((await owner.client.get('/auth/me')).text).toContain(other.tenant);
  });
});

describe('the list of tenants', () => {
  const listed = async (client: Client): Promise<string[]> =>
    (await client.get<Page<{ id: string }>>('/tenants')).body.items.map(({ id }) => id);

  it('shows what the route of each would show', async () => {
    const idle = await member(app, shop.tenant);
    const denied = await member(app, shop.tenant, 'viewer');
    await grant(shop.tenant, { user: denied.userId }, ['tenant:read'], {
      effect: 'deny',
      resource: `tenants/${shop.tenant}`,
    });
    const keys = new Keys(owner.client);
    const [publishing, elsewhere] = [
      await keys.create({ actions: ['event:publish'] }),
      await keys.create({ scopes: [{ tenant: shop.tenant, namespace: 'shop', topic: 'orders' }] }),
    ];
    const people = [owner.client, idle.client, denied.client, keys.as(publishing.key), keys.as(elsewhere.key)];
    for (const client of people) {
      const { status } = await client.get(`/tenants/${shop.tenant}`);
      expect(await listed(client)).toEqual(status === 200 ? [shop.tenant] : []);
    }
    expect(await listed(owner.client)).toEqual([shop.tenant]);
  });

  it('shows the reason of a suspension only to those who may suspend', async () => {
    await suspend(shop, 'unpaid invoice');
    const { text } = await owner.client.get('/tenants');
    expect(text).not.toContain('unpaid');
    expect((await owner.client.get(`/tenants/${shop.tenant}`)).status).toBe(403);
    expect((await app.client.get(`/tenants/${shop.tenant}`)).text).toContain('unpaid invoice');
  });

  it('leaves out for an administrator what is denied to them', async () => {
    const operator = await newPerson(app);
    await app.client.request('PUT', `/users/${operator.userId}/roles/system-operator`);
    await grant(null, { user: operator.userId }, ['tenant:read'], {
      effect: 'deny',
      resource: `tenants/${other.tenant}`,
    });
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await operator.client.get<Page<{ id: string }>>(`/tenants?limit=3${cursor}`);
      seen.push(...body.items.map(({ id }) => id));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
    expect([seen.includes(shop.tenant), seen.includes(other.tenant)]).toEqual([true, false]);
  });
});
