import { sharedApp } from '../support/server/app.js';
import { Keys } from '../support/api/api-keys.js';
import type { Client } from '../support/api/client.js';
import { bearer, Person, type User } from '../support/api/people.js';
import { connect } from '../support/server/postgres.js';
import { Workspace } from '../support/api/workspace.js';

interface Held {
  readonly via: { readonly kind: string; readonly id: string; readonly through?: object };
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resource: string;
}

interface Profile extends User {
  readonly memberships: readonly { tenant: string; roles: string[]; scopedRoles: object[] }[];
  readonly permissions: readonly Held[];
  readonly complete: boolean;
  readonly apiKey: { readonly id: string; scopes: unknown; actions: unknown; permissions: Held[] } | null;
}

const app = await sharedApp();
let person: Person;
let client: Client;
let shop: Workspace;

beforeEach(async () => {
  person = await Person.create(app);
  client = person.anonymous.with(bearer((await person.login()).accessToken));
  shop = await Workspace.create(app.client);
});

const me = async (by = client, query = ''): Promise<Profile> => (await by.get<Profile>(`/auth/me${query}`)).body;
const put = async (path: string, body?: object): Promise<void> => {
  const { status, text } = await app.client.request('PUT', path, body);
  if (status >= 300) throw new Error(text);
};
const join = (roles: string[], { tenant } = shop): Promise<void> =>
  put(`/tenants/${tenant}/members/${person.user.id}`, { roles });
const grant = (principal: object, effect: string, actions: string[]): Promise<unknown> =>
  app.client.post(`/tenants/${shop.tenant}/permissions`, {
    principal,
    effect,
    actions,
    resource: `tenants/${shop.tenant}`,
  });
const viaOf = ({ permissions }: Profile): string[] => permissions.map(({ via }) => via.id).toSorted();

describe('the own profile', () => {
  it('of a user without any permission is their account, and shows that there is none', async () => {
    expect(await me()).toEqual({ ...person.user, memberships: [], permissions: [], complete: true, apiKey: null });
  });

  it('lists memberships with their roles, and the rights by role, group and grant', async () => {
    const { tenant } = shop;
    await join(['viewer']);
    await put(`/tenants/${tenant}/users/${person.user.id}/roles/publisher?namespace=shop&topic=orders`);
    await app.client.post(`/tenants/${tenant}/groups`, { id: 'team' });
    await put(`/tenants/${tenant}/groups/team/members/${person.user.id}`);
    await put(`/tenants/${tenant}/groups/team/roles/subscriber`);
    await grant({ user: person.user.id }, 'deny', ['event:read']);
    const profile = await me();
    expect(profile.memberships).toEqual([
      { tenant, roles: ['viewer'], scopedRoles: [{ role: 'publisher', namespace: 'shop', topic: 'orders' }] },
    ]);
    expect(viaOf(profile)).toEqual([expect.stringMatching(/^grt_/), 'publisher', 'subscriber', 'viewer']);
    expect(profile.permissions).toContainEqual({
      via: { kind: 'role', id: 'subscriber', through: { kind: 'group', id: 'team' } },
      effect: 'allow',
      actions: expect.arrayContaining(['consumer:manage']),
      resource: `tenants/${tenant}`,
    });
    expect(profile.permissions).toContainEqual(expect.objectContaining({ effect: 'deny', actions: ['event:read'] }));
    const path = `/tenants/${tenant}/users/${person.user.id}/effective-permissions`;
    const { body } = await app.client.get<{ permissions: Held[] }>(path);
    expect(profile.permissions).toEqual(body.permissions);
  });

  it('shows a change at once', async () => {
    await join(['viewer']);
    expect(viaOf(await me())).toEqual(['viewer']);
    await join(['publisher']);
    expect(viaOf(await me())).toEqual(['publisher']);
    await app.client.delete(`/tenants/${shop.tenant}/members/${person.user.id}`);
    expect(await me()).toMatchObject({ memberships: [], permissions: [] });
  });

  it('lists roles in the system as those of $system, once, beside those in tenants', async () => {
    const other = await Workspace.create(app.client);
    await Promise.all([join(['viewer']), join(['publisher'], other)]);
    await put(`/users/${person.user.id}/roles/system-operator`);
    const profile = await me();
    const tenants = [shop.tenant, other.tenant].toSorted();
    expect(profile.memberships.map(({ tenant }) => tenant)).toEqual(['$system', ...tenants]);
    expect(viaOf(profile)).toEqual(['publisher', 'system-operator', 'viewer']);
  });

  it('for one tenant covers the tenant and the system; for a tenant of others it shows nothing', async () => {
    const other = await Workspace.create(app.client);
    await Promise.all([join(['viewer']), join(['publisher'], other)]);
    const profile = await me(client, `?tenant=${other.tenant}`);
    expect([profile.memberships.map(({ tenant }) => tenant), viaOf(profile)]).toEqual([[other.tenant], ['publisher']]);
    const foreign = await Workspace.create(app.client);
    expect(await me(client, `?tenant=${foreign.tenant}`)).toEqual(await me(client, '?tenant=there-is-none'));
    for (const query of ['tenants=acme', 'tenant=', 'tenant=%00', 'tenant=a&tenant=b'])
      expect([query, (await client.get(`/auth/me?${query}`)).status]).toEqual([query, 400]);
  });

  it('is also the response to a change of it, with the version for the next one', async () => {
    await join(['viewer']);
    const { headers, body } = await client.patch<Profile>('/auth/me', { name: 'Jane Doe' });
    expect(body).toEqual({ ...(await me()), name: 'Jane Doe' });
    expect(headers.get('etag')).toBe(`"${body.version}"`);
    const stale = await client.patch('/auth/me', { name: 'Joan' }, { 'if-match': `"${person.user.version}"` });
    expect(stale.status).toBe(412);
  });
});

describe('the own profile of an API key', () => {
  it('shows the bounds of the key and its grants, only within its reach', async () => {
    const other = await Workspace.create(app.client);
    await Promise.all([join(['viewer']), join(['publisher'], other)]);
    const keys = new Keys(client);
    const scopes = [{ tenant: shop.tenant, namespace: 'shop' }];
    const bounded = await keys.create({ scopes, actions: ['topic:read'] });
    await grant({ apiKey: bounded.id }, 'allow', ['event:read']);
    const profile = await me(keys.as(bounded.key));
    expect(profile.memberships.map(({ tenant }) => tenant)).toEqual([shop.tenant]);
    expect(viaOf(profile)).toEqual(['viewer']);
    expect(profile.apiKey).toMatchObject({ id: bounded.id, scopes, actions: ['topic:read'] });
    expect(profile.apiKey!.permissions.map(({ actions }) => actions)).toEqual([['event:read']]);
    const whole = await keys.create();
    expect(await me(keys.as(whole.key))).toEqual({
      ...(await me()),
      apiKey: { id: whole.id, scopes: null, actions: null, permissions: [] },
    });
  });
});

describe('the own profile of a member of very many tenants', () => {
  const sql = async (text: string, values: unknown[]): Promise<void> => {
    const connection = await connect(app.connection);
    await connection.query(text, values);
    await connection.end();
  };
  const tenantOf = (n: number): string => `many-${String(n).padStart(4, '0')}`;
  async function addMemberships(count: number): Promise<void> {
    await sql(
      `INSERT INTO tenant (tenant_id, tenant_uid, name, state, version, created_at, updated_at)
       SELECT 'many-' || lpad(n::text, 4, '0'), gen_random_uuid(), 'Many', 'active', 1, 1, 1 FROM generate_series(1, $1::int) n
       ON CONFLICT (tenant_id) DO NOTHING`,
      [count],
    );
    await sql(
      `INSERT INTO member SELECT 'many-' || lpad(n::text, 4, '0'), $1, 1, 1, 1 FROM generate_series(1, $2::int) n`,
      [person.user.id, count],
    );
  }

  it('lists a hundred, says that there are more, and shows any of them on request', async () => {
    await addMemberships(101);
    const profile = await me();
    expect([profile.memberships.length, profile.complete]).toEqual([100, false]);
    const last = tenantOf(101);
    expect(profile.memberships.map(({ tenant }) => tenant)).not.toContain(last);
    expect(await me(client, `?tenant=${last}`)).toMatchObject({ memberships: [{ tenant: last }], complete: true });
  });

  it('lists a thousand rules, and says that there are more', async () => {
    await addMemberships(6);
    await sql(
      `INSERT INTO access_grant SELECT 'many-' || lpad(t::text, 4, '0'), 'grt_' || t || '_' || n, 'user', $1, 'allow', '["topic:read"]',
         'tenants/many-' || lpad(t::text, 4, '0') || '/namespaces/n' || n, NULL, 1, 1
       FROM generate_series(1, 6) t, generate_series(1, 200) n`,
      [person.user.id],
    );
    const profile = await me();
    expect([profile.permissions.length, profile.memberships.length, profile.complete]).toEqual([1_000, 6, false]);
    const sixth = await me(client, `?tenant=${tenantOf(6)}`);
    expect([sixth.permissions.length, sixth.complete]).toEqual([200, true]);
  });
});
