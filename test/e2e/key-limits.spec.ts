import { startApp, type TestApp } from '../support/app.js';
import type { Client } from '../support/client.js';
import { newPerson, type Person } from '../support/strangers.js';
import { Workspace } from '../support/workspace.js';

let app: TestApp;
let shop: Workspace;
let owner: Person;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());
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
  it('reaches no further than its scopes and actions', async () => {
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

  it('loses what its owner loses, at once', async () => {
    const { client } = await key({});
    expect(await status(client, 'POST', shop.events(), event)).toBe(201);
    await app.client.request('PUT', `/tenants/${shop.tenant}/members/${owner.userId}`, { roles: ['viewer'] });
    expect(await status(client, 'POST', shop.events(), event)).toBe(403);
    await app.client.delete(`/tenants/${shop.tenant}/members/${owner.userId}`);
    expect(await status(client, 'POST', shop.events(), event)).toBe(404);
  });

  it('can be denied something, and allowed what it was not made for, within what its owner may', async () => {
    const { client, id } = await key({ actions: ['topic:read'] });
    const grant = (effect: string, actions: string[]): Promise<number> =>
      status(app.client, 'POST', `/tenants/${shop.tenant}/permissions`, {
        principal: { apiKey: id },
        effect,
        actions,
        resource: `tenants/${shop.tenant}`,
      });
    expect(await status(client, 'POST', shop.events(), event)).toBe(403);
    expect(await grant('allow', ['event:publish', 'member:manage'])).toBe(201);
    expect(await status(client, 'POST', shop.events(), event)).toBe(201);
    expect(await status(client, 'GET', `/tenants/${shop.tenant}/members`)).toBe(403);
    expect(await grant('deny', ['event:publish'])).toBe(201);
    expect(await status(client, 'POST', shop.events(), event)).toBe(403);
    expect(await status(owner.client, 'POST', shop.events(), event)).toBe(201);
  });

  it('gives nobody what it does not reach itself', async () => {
    await app.client.request('PUT', `/tenants/${shop.tenant}/members/${owner.userId}`, { roles: ['admin'] });
    const { client } = await key({ actions: ['member:*', 'permission:*', 'tenant:read'] });
    const friend = await newPerson(app);
    const path = `/tenants/${shop.tenant}/members/${friend.userId}`;
    expect((await client.request('PUT', path, { roles: ['publisher'] })).body.code).toBe('exceeds-own-permissions');
    expect(await status(owner.client, 'PUT', path, { roles: ['publisher'] })).toBe(200);
  });

  it('of another user is seen and touched by nobody who may not', async () => {
    const { id } = await key({});
    const stranger = await newPerson(app);
    for (const method of ['GET', 'DELETE'])
      expect(await status(stranger.client, method, `/users/${owner.userId}/api-keys/${id}`)).toBe(403);
    expect(await status(stranger.client, 'GET', `/users/${owner.userId}/api-keys`)).toBe(403);
    expect(await status(stranger.client, 'POST', `/users/${owner.userId}/api-keys`, { name: 'mine' })).toBe(403);
    expect(await status(app.client, 'DELETE', `/users/${owner.userId}/api-keys/${id}`)).toBe(204);
  });
});
