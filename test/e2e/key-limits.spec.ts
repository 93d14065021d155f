import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { newPerson, type Person } from '../support/api/strangers.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let owner: Person;

beforeEach(async () => {
  shop = await Workspace.create(app.client, ['orders', 'returns']);
  owner = await newPerson(app);
  await app.client.request('PUT', `/tenants/${shop.tenant}/members/${owner.userId}`, { roles: ['developer'] });
});

const status = async (client: Client, method: string, path: string, body?: object): Promise<number> =>
  (await client.request(method, path, body)).status;
const event = { type: 't', data: 1 };

async function key(limits: object): Promise<{ client: Client; id: string }> {
  const answer = await owner.client.post<{ key: string; id: string }>('/users/me/api-keys', { name: 'k', ...limits });
  if (answer.status !== 201) throw new Error(answer.text);
  return { client: app.client.with({ 'x-api-key': answer.body.key }), id: answer.body.id };
}

describe('an API key', () => {
  it('is limited to its scopes and actions', async () => {
    const { client } = await key({
      scopes: [{ tenant: shop.tenant, namespace: 'shop', topic: 'orders' }],
      actions: ['event:publish', 'topic:read'],
    });
    expect(await status(client, 'POST', shop.events('orders'), event)).toBe(201);
    expect(await status(client, 'POST', shop.events('returns'), event)).toBe(404);
    expect(await status(client, 'GET', shop.events('orders'))).toBe(403);
    const { body } = await client.get<{ items: { id: string }[] }>(`${shop.base}/topics`);
    expect(body.items.map(({ id }) => id)).toEqual(['orders']);
    expect(await status(client, 'GET', '/users/me/api-keys')).toBe(403);
  });

  it('does not show the other tenants of its owner', async () => {
    const other = await Workspace.create(app.client);
    await app.client.request('PUT', `/tenants/${other.tenant}/members/${owner.userId}`, { roles: ['developer'] });
    const { client } = await key({ scopes: [{ tenant: shop.tenant }] });
    expect(await status(client, 'GET', other.events())).toBe(404);
    const { body } = await client.get<{ items: { id: string }[] }>('/tenants');
    expect(body.items.map(({ id }) => id)).toEqual([shop.tenant]);
  });

  it('loses the rights that its owner loses, at once', async () => {
    const { client } = await key({});
    expect(await status(client, 'POST', shop.events(), event)).toBe(201);
    await app.client.request('PUT', `/tenants/${shop.tenant}/members/${owner.userId}`, { roles: ['viewer'] });
    expect(await status(client, 'POST', shop.events(), event)).toBe(403);
    await app.client.delete(`/tenants/${shop.tenant}/members/${owner.userId}`);
    expect(await status(client, 'POST', shop.events(), event)).toBe(404);
  });

  const admin = (method: string, path: string, body?: object): Promise<number> =>
    status(app.client, method, path, body);
  const inTenant = (path: string): string => `/tenants/${shop.tenant}/${path}`;
  const grant = async (effect: 'allow' | 'deny'): Promise<string> => {
    const { body } = await app.client.post<{ id: string }>(inTenant('permissions'), {
      principal: { user: owner.userId },
      effect,
      actions: ['event:publish'],
      resource: `tenants/${shop.tenant}`,
    });
    return inTenant(`permissions/${body.id}`);
  };

  it.each<[string, number, () => Promise<() => Promise<unknown>>]>([
    ['a role that is taken', 403, async () => () => admin('DELETE', inTenant(`users/${owner.userId}/roles/publisher`))],
    ['a denial', 403, async () => () => grant('deny')],
    [
      'a grant that is revoked',
      403,
      async () => {
        const made = await grant('allow');
        await admin('DELETE', inTenant(`users/${owner.userId}/roles/publisher`));
        return () => admin('DELETE', made);
      },
    ],
    [
      'a group that is left',
      403,
      async () => {
        await admin('POST', inTenant('groups'), { id: 'team' });
        await admin('PUT', inTenant('groups/team/roles/publisher'));
        await admin('PUT', inTenant(`groups/team/members/${owner.userId}`));
        await admin('DELETE', inTenant(`users/${owner.userId}/roles/publisher`));
        return () => admin('DELETE', inTenant(`groups/team/members/${owner.userId}`));
      },
    ],
    ['the end of a membership', 404, async () => () => admin('DELETE', inTenant(`members/${owner.userId}`))],
    ['the suspension of the tenant', 403, async () => () => admin('POST', `/tenants/${shop.tenant}/suspend`, {})],
    ['the end of the tenant', 404, async () => () => admin('DELETE', `/tenants/${shop.tenant}?force=true`)],
    ['a suspension', 401, async () => () => admin('POST', `/users/${owner.userId}/suspend`, {})],
    ['the end of an account', 401, async () => () => admin('DELETE', `/users/${owner.userId}`)],
  ])('loses the rights that its owner loses by %s: %d, with the next request', async (_, refused, prepare) => {
    await admin('PUT', inTenant(`members/${owner.userId}`), { roles: ['publisher', 'viewer'] });
    const { client } = await key({});
    const take = await prepare();
    expect(await status(client, 'POST', shop.events(), event)).toBe(201);
    await take();
    expect(await status(client, 'POST', shop.events(), event)).toBe(refused);
  });

  it('can be denied actions, and be granted others beyond its bounds, within the rights of its owner', async () => {
    const { client, id } = await key({ actions: ['topic:read'] });
    const give = (effect: string, actions: string[]): Promise<number> =>
      status(app.client, 'POST', `/tenants/${shop.tenant}/permissions`, {
        principal: { apiKey: id },
        effect,
        actions,
        resource: `tenants/${shop.tenant}`,
      });
    expect(await status(client, 'POST', shop.events(), event)).toBe(403);
    expect(await give('allow', ['event:publish', 'member:manage'])).toBe(201);
    expect(await status(client, 'POST', shop.events(), event)).toBe(201);
    expect(await status(client, 'GET', `/tenants/${shop.tenant}/members`)).toBe(403);
    expect(await give('deny', ['event:publish'])).toBe(201);
    expect(await status(client, 'POST', shop.events(), event)).toBe(403);
    expect(await status(owner.client, 'POST', shop.events(), event)).toBe(201);
  });

  it('cannot give rights that it does not have itself', async () => {
    await app.client.request('PUT', `/tenants/${shop.tenant}/members/${owner.userId}`, { roles: ['admin'] });
    const { client } = await key({ actions: ['member:*', 'permission:*', 'tenant:read'] });
    const friend = await newPerson(app);
    const path = `/tenants/${shop.tenant}/members/${friend.userId}`;
    expect((await client.request('PUT', path, { roles: ['publisher'] })).body.code).toBe('exceeds-own-permissions');
    expect(await status(owner.client, 'PUT', path, { roles: ['publisher'] })).toBe(200);
  });

  it('of another user can be seen and changed only with permission', async () => {
    const { id } = await key({});
    const stranger = await newPerson(app);
    for (const method of ['GET', 'DELETE'])
      expect(await status(stranger.client, method, `/users/${owner.userId}/api-keys/${id}`)).toBe(403);
    expect(await status(stranger.client, 'GET', `/users/${owner.userId}/api-keys`)).toBe(403);
    expect(await status(stranger.client, 'POST', `/users/${owner.userId}/api-keys`, { name: 'mine' })).toBe(403);
    expect(await status(app.client, 'DELETE', `/users/${owner.userId}/api-keys/${id}`)).toBe(204);
  });
});
