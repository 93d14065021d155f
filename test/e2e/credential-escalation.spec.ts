import { sharedApp } from '../support/server/app.js';
import { DAY_MS, inMs, keyPath, Keys, KEYS, type Issued } from '../support/api/api-keys.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { Person as User } from '../support/api/people.js';
import { member, newPerson, type Person } from '../support/api/strangers.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let tenant: string;
let owner: Person;
let keys: Keys;

/** What a key needs to make and rotate keys, and to publish. */
const NARROW = ['api-key:create', 'event:publish'];

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  tenant = `/tenants/${shop.tenant}`;
  owner = await member(app, shop.tenant, 'owner');
  keys = new Keys(owner.client);
});

const grant = async (effect: 'allow' | 'deny', to: { id: string }, actions: string[], scope = ''): Promise<void> => {
  const resource = `tenants/${shop.tenant}${scope}`;
  const answer = await owner.client.post(`${tenant}/permissions`, {
    principal: { apiKey: to.id },
    effect,
    actions,
    resource,
  });
  if (answer.status !== 201) throw new Error(answer.text);
};
const rotate = async (by: Issued, key: { id: string }): Promise<Answer<Issued & Problem>> => {
  const known = { 'if-match': `"${(await keys.show(key)).version}"` };
  return keys.as(by.key).post(`${keyPath(key)}/rotate`, { gracePeriodSeconds: 0 }, known);
};
const refusal = ({ status, body }: Answer<Partial<Problem>>): unknown[] => [status, body.code, body.detail];

describe('a key that was granted more than its bounds allow', () => {
  it('cannot be rotated by another key with the same bounds, which would get those grants', async () => {
    const [asking, granted] = [await keys.create({ actions: NARROW }), await keys.create({ actions: NARROW })];
    expect((await rotate(asking, granted)).status).toBe(200);
    await grant('allow', granted, ['event:read', 'topic:read'], '/namespaces/shop');
    expect(refusal(await rotate(asking, granted))).toEqual([
      403,
      'api-key-exceeds-own',
      expect.stringContaining(
        `granted topic:read, event:read on tenants/${shop.tenant}/namespaces/shop, which is beyond`,
      ),
    ]);
    expect((await keys.as(asking.key).get(shop.events())).status).toBe(403);
  });

  it('can be rotated by itself, by its owner, and by keys that may do as much, by their bounds or by a grant', async () => {
    const [granted, same, narrower] = [
      await keys.create({ actions: NARROW }),
      await keys.create({ actions: NARROW }),
      await keys.create({ actions: NARROW }),
    ];
    await grant('allow', granted, ['event:read'], '/namespaces/shop');
    await grant('allow', same, ['event:read']);
    await grant('allow', narrower, ['event:read'], '/namespaces/shop/topics/orders');
    const wide = await keys.create({ actions: [...NARROW, 'event:read'], scopes: [{ tenant: shop.tenant }] });
    const unbounded = await keys.create();
    expect((await rotate(narrower, granted)).status).toBe(403);
    // Scopes are checked first: a key without them exceeds one that has them.
    expect((await rotate(wide, granted)).status).toBe(403);
    for (const by of [same, unbounded]) expect((await rotate(by, granted)).status).toBe(200);
    const { body } = await keys.rotate(granted);
    expect((await rotate(body, granted)).status).toBe(200);
  });
});

it('a key with a denial cannot create or rotate another key, which would not have that denial', async () => {
  const [denied, other] = [await keys.create(), await keys.create()];
  await grant('deny', denied, ['event:read']);
  const by = keys.as(denied.key);
  const detail = expect.stringContaining('denied something that the other one could do');
  for (const answer of [await by.post(KEYS, { name: 'k' }), await by.post(`${keyPath(other)}/rotate`, {})])
    expect(refusal(answer)).toEqual([403, 'api-key-exceeds-own', detail]);
  expect((await by.post(`${keyPath(denied)}/rotate`, {})).status).toBe(200);
});

describe('a user who creates keys for others, and is not an administrator of the system,', () => {
  let clerk: Person;
  beforeAll(async () => {
    await app.client.post('/roles', { id: 'topic-key-clerk', actions: ['api-key:create', 'topic:read'] });
    clerk = await newPerson(app);
    await app.client.request('PUT', `/users/${clerk.userId}/roles/topic-key-clerk`);
  });
  const make = (whom: string, by: Client = clerk.client): Promise<Answer<Partial<Problem>>> =>
    by.post(`/users/${whom}/api-keys`, { name: 'k' });
  /** The key expires before the clerk's own key, so that its bounds do not exceed those. */
  const rotateFor = ({ userId, keyId }: Person): Promise<Answer<Partial<Problem>>> =>
    clerk.client.post(`/users/${userId}/api-keys/${keyId}/rotate`, { expiresAt: inMs(DAY_MS) });

  it('cannot create or rotate one for a user who may do more, in the system or in any tenant', async () => {
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    const more = expect.stringMatching(/The owner of the key may do(, or come to do,)? what you may not/);
    for (const answer of [await make(me.id), await make(owner.userId), await rotateFor(owner)])
      expect(refusal(answer)).toEqual([403, 'api-key-exceeds-own', more]);
  });

  it('can create them for users who may do no more than themselves', async () => {
    const reader = await newPerson(app);
    await app.client.post(`${tenant}/roles`, { id: 'looker', actions: ['topic:read'] });
    await app.client.request('PUT', `${tenant}/members/${reader.userId}`, { roles: ['looker'] });
    expect((await make(reader.userId)).status).toBe(201);
    expect((await rotateFor(reader)).status).toBe(200);
    await app.client.request('PUT', `${tenant}/members/${reader.userId}`, { roles: ['publisher'] });
    expect((await make(reader.userId)).status).toBe(403);
    expect((await make(reader.userId, app.client)).status).toBe(201);
  });
});

describe('another e-mail, to which a new password can be sent,', () => {
  let clerk: Person;
  beforeAll(async () => {
    await app.client.post('/roles', { id: 'user-clerk', actions: ['user:update', 'topic:read'] });
    clerk = await newPerson(app);
    await app.client.request('PUT', `/users/${clerk.userId}/roles/user-clerk`);
  });
  const move = ({ user }: User, by: Client): Promise<Answer<Partial<Problem>>> =>
    by.patch(`/users/${user.id}`, { email: `moved.${user.email}` });

  it('cannot be given to a user who may do more, even by a user who may change and rename users', async () => {
    const person = await User.create(app);
    expect((await move(person, clerk.client)).status).toBe(200);
    const owning = await User.create(app);
    await app.client.request('PUT', `${tenant}/members/${owning.user.id}`, { roles: ['viewer'] });
    expect(refusal(await move(owning, clerk.client))).toEqual([
      403,
      'exceeds-own-permissions',
      expect.stringContaining('With the e-mail of the user you could do what you may not do: tenant:read'),
    ]);
    const { body: me } = await app.client.get<{ id: string }>('/auth/me');
    const taken = await clerk.client.patch(`/users/${me.id}`, { email: 'clerk@example.test' });
    expect([taken.status, taken.body.code]).toEqual([403, 'exceeds-own-permissions']);
    expect((await clerk.client.patch(`/users/${me.id}`, { name: 'Renamed' })).status).toBe(200);
    expect((await move(owning, app.client)).status).toBe(200);
  });

  it('cannot be given with a bounded key of an administrator to a user who may do more than the key, such as its owner', async () => {
    const all = new Keys(app.client);
    const bounded = all.as((await all.create({ actions: ['user:update'] })).key);
    const { body: me } = await app.client.get<{ id: string; email: string }>('/auth/me');
    const person = await User.create(app);
    const answers = [
      await bounded.patch(`/users/${me.id}`, { email: 'other@example.test' }),
      await move(person, bounded),
      await app.client.patch(`/users/${me.id}`, { email: 'other@example.test' }),
      await app.client.patch(`/users/${me.id}`, { email: me.email }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 200, 200, 200]);
  });
});
