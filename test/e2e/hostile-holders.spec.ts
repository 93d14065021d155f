import { sharedApp } from '../support/server/app.js';
import { must, statusOf, type Client } from '../support/api/client.js';
import { loggedIn, type Human } from '../support/api/people.js';
import { Workspace } from '../support/api/workspace.js';

/** Kind A of the security review: the roles of owners and administrators carry more than their actions. */

const app = await sharedApp();
let shop: Workspace;
let tenant: string;
let owner: Human;
let x: Human;

const EXCEEDS = [403, 'exceeds-own-permissions'];

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
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
const administrator = async (): Promise<Human> => {
  const one = await loggedIn(app);
  await must(app.client, 'PUT', `/users/${one.user.id}/roles/system-admin`);
  return one;
};

describe('the role that must not lose its last holder', () => {
  it('is not given by a user who only holds all of its actions: it carries more than these', async () => {
    const { body: roles } = await app.client.get<{ items: { id: string; actions: string[] }[] }>(`${tenant}/roles`);
    const { actions } = roles.items.find(({ id }) => id === 'owner')!;
    await must(owner.login, 'POST', `${tenant}/roles`, { id: 'all-of-it', actions });
    await join(x, 'all-of-it');
    const friend = await loggedIn(app);
    expect(await refusal(x.login, 'PUT', `${tenant}/members/${friend.user.id}`, { roles: ['owner'] })).toEqual(EXCEEDS);
    expect(await statusOf(x.login, 'PUT', `${tenant}/members/${friend.user.id}`, { roles: ['admin'] })).toBe(200);
  });

  it.each(['owner', 'system-admin'])(
    '%s is not reached by a user with only its actions, by a key or another e-mail of its holder',
    async (role) => {
      const place = role === 'owner' ? tenant : '';
      const { body: roles } = await app.client.get<{ items: { id: string; actions: string[] }[] }>(`${place}/roles`);
      const { actions } = roles.items.find(({ id }) => id === role)!;
      const id = `all-of-${shop.tenant}`;
      const help = `help-${shop.tenant}`;
      const holder = role === 'owner' ? owner : await administrator();
      await must(app.client, 'POST', `${place}/roles`, { id, actions });
      await must(app.client, 'POST', '/roles', { id: help, actions: ['user:update', 'api-key:create'] });
      for (const path of [`${place}/users/${x.user.id}/roles/${id}`, `/users/${x.user.id}/roles/${help}`])
        await must(app.client, 'PUT', path);
      const special = { actions: ['event:read'], resource: 'tenants/$system' };
      const allow = { principal: { user: x.user.id }, effect: 'allow', ...special };
      if (role === 'system-admin') await must(app.client, 'POST', '/permissions', allow);
      const keys = `/users/${holder.user.id}/api-keys`;
      const scopes = role === 'owner' ? { scopes: [{ tenant: shop.tenant }] } : {};
      expect(await refusal(x.login, 'POST', keys, { name: 'whole' })).toEqual([403, 'api-key-exceeds-own']);
      const email = `moved.${holder.user.email}`;
      expect(await refusal(x.login, 'PATCH', `/users/${holder.user.id}`, { email })).toEqual(EXCEEDS);
      expect(await statusOf(x.login, 'POST', keys, { name: 'bounded', actions: ['topic:read'], ...scopes })).toBe(201);
    },
  );
});
