import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { rulesFor } from '../../src/contexts/authz/application/rules-for.js';
import { PostgresRules } from '../../src/contexts/authz/adapters/postgres-rules.js';
import { holdsTopRole, withoutLockout } from '../../src/contexts/authz/domain/lockout.js';
import { Policy } from '../../src/contexts/authz/domain/policy.js';
import { ACTIONS } from '../../src/kernel/actions.js';
import { SYSTEM_TENANT } from '../../src/kernel/ids.js';
import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { openDatabase } from '../support/server/postgres.js';
import { newPerson, type Person } from '../support/api/strangers.js';

/**
 * Kind A of the security review, as one property: in random worlds, no sequence of accepted calls by two friends gives one of them, or a
 * user whose credentials they have obtained, a right that neither of them had.
 */

const WORLDS = 40;
const CALLS = 20;
const TOPICS = ['orders', 'secret'];
const ROLES = ['admin', 'developer', 'viewer', 'owner', 'clerk', 'chief'];
const GROUPS = ['team', 'inner'];
const BUNDLES = [
  ['event:read'],
  ['event:publish', 'topic:read'],
  ['member:manage', 'member:read'],
  ['group:manage'],
  ['permission:grant'],
  ['role:manage'],
  ['tenant:read', 'tenant:update'],
];

const app = await sharedApp();
const database = openDatabase(app.connection);
let rules: PostgresRules;
/** Two users who act together, and another one whom they may use. */
let people: readonly [Person, Person, Person];

beforeAll(async () => {
  rules = new PostgresRules(database);
  people = [await newPerson(app), await newPerson(app), await newPerson(app)];
  const clerk = { id: 'key-clerk', actions: ['api-key:create', 'user:update'] };
  if ((await app.client.post('/roles', clerk)).status !== 201) throw new Error('no role');
  await app.client.request('PUT', `/users/${people[0].userId}/roles/key-clerk`);
});
afterAll(() => database.close());

interface Change {
  readonly method: string;
  /** `{0}` to `{2}` stand for people and `{t}` for the tenant. */
  readonly path: string;
  readonly body?: object;
}
/** The acting friend, with a key for these actions or an unbounded one. */
interface Act {
  readonly who: 0 | 1;
  readonly bundle: number | null;
  readonly change: Change | 'revoke' | 'new-key';
}

const member = fc.constantFrom('{0}', '{1}', '{2}');
const role = fc.constantFrom(...ROLES);
const group = fc.constantFrom(...GROUPS);
const bundle = fc.constantFrom(...BUNDLES);
const resource = fc.constantFrom(
  'tenants/{t}',
  'tenants/{t}/namespaces/shop',
  ...TOPICS.map((topic) => `tenants/{t}/namespaces/shop/topics/${topic}`),
  'tenants/{t}/namespaces/*/topics/sec*',
);
const constraints = fc.constantFrom(
  undefined,
  undefined,
  { eventTypes: ['order.*'] },
  { sourceCidrs: ['127.0.0.0/8', '::1/128'] },
);
const principal = fc.oneof(
  member.map((user) => ({ user })),
  group.map((id) => ({ group: id })),
  role.map((id) => ({ role: id })),
);
const made = (method: string, path: fc.Arbitrary<string>, body?: fc.Arbitrary<object>): fc.Arbitrary<Change> =>
  fc.record({ method: fc.constant(method), path, ...(body && { body }) });
const grants: fc.Arbitrary<Change> = made(
  'POST',
  fc.constant('permissions'),
  fc
    .record({ principal, effect: fc.constantFrom('allow', 'allow', 'deny'), actions: bundle, resource, constraints })
    .map(({ constraints: given, ...grant }) =>
      given && (!('eventTypes' in given) || grant.actions.every((action) => action.startsWith('event:')))
        ? { ...grant, constraints: given }
        : grant,
    ),
);
const changes: fc.Arbitrary<Change> = fc.oneof(
  made(
    'PUT',
    member.map((id) => `members/${id}`),
    fc.record({ roles: fc.uniqueArray(role, { maxLength: 2 }) }),
  ),
  made(
    'DELETE',
    member.map((id) => `members/${id}`),
  ),
  made(
    'PUT',
    fc.tuple(member, role).map(([id, one]) => `users/${id}/roles/${one}`),
  ),
  made(
    'PUT',
    fc.tuple(member, role).map(([id, one]) => `users/${id}/roles/${one}?namespace=shop`),
  ),
  made(
    'DELETE',
    fc.tuple(member, role).map(([id, one]) => `users/${id}/roles/${one}`),
  ),
  made(
    'PUT',
    fc.tuple(group, member).map(([id, one]) => `groups/${id}/members/${one}`),
  ),
  made(
    'DELETE',
    fc.tuple(group, member).map(([id, one]) => `groups/${id}/members/${one}`),
  ),
  made(
    'PUT',
    fc.tuple(group, role).map(([id, one]) => `groups/${id}/roles/${one}`),
  ),
  made(
    'DELETE',
    fc.tuple(group, role).map(([id, one]) => `groups/${id}/roles/${one}`),
  ),
  made('PUT', fc.constant('groups/team/groups/inner')),
  made('DELETE', fc.constantFrom('groups/team/groups/inner', 'groups/inner', 'groups/team', 'roles/clerk')),
  made(
    'POST',
    fc.constant('groups'),
    group.map((id) => ({ id })),
  ),
  made(
    'PATCH',
    fc.constantFrom('roles/clerk', 'roles/chief'),
    bundle.map((actions) => ({ actions })),
  ),
  grants,
  grants,
);
/** Rights that let the friends act. */
const standing: fc.Arbitrary<Change> = made(
  'PUT',
  fc.constantFrom('members/{0}', 'members/{1}', 'groups/team/roles/chief', 'groups/inner/members/{0}'),
  fc.constantFrom('admin', 'chief', 'owner', 'developer').map((one) => ({ roles: [one] })),
).map(({ method, path, body }) => (path.startsWith('members') ? { method, path, body: body! } : { method, path }));
const act: fc.Arbitrary<Act> = fc.record({
  who: fc.constantFrom(0, 1),
  bundle: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.nat(BUNDLES.length - 1)),
  change: fc.oneof({ weight: 8, arbitrary: changes }, { weight: 1, arbitrary: fc.constantFrom('revoke', 'new-key') }),
});

const SETUP: readonly Change[] = [
  { method: 'POST', path: 'roles', body: { id: 'clerk', actions: BUNDLES[0]! } },
  { method: 'POST', path: 'roles', body: { id: 'chief', actions: BUNDLES.flat() } },
  ...GROUPS.map((id) => ({ method: 'POST', path: 'groups', body: { id } })),
];

class World {
  private readonly keys = new Map<string, Client>();
  /** The users whose credentials the friends have. */
  private readonly held = new Set([people[0].userId, people[1].userId]);

  private constructor(private readonly tenant: string) {}

  static async create(changesOfRoot: readonly Change[]): Promise<World> {
    const world = new World(`t-${randomBytes(5).toString('hex')}`);
    await app.client.post('/tenants', { id: world.tenant });
    for (const { userId } of people)
      await app.client.request('PUT', `/tenants/${world.tenant}/members/${userId}`, { roles: [] });
    for (const change of [...SETUP, ...changesOfRoot]) await world.ask(app.client, change);
    return world;
  }

  async perform({ who, bundle: bounds, change }: Act): Promise<boolean> {
    const client = bounds === null ? people[who].client : await this.boundedKey(who, BUNDLES[bounds]!);
    if (change === 'new-key') return this.takeKey(client);
    return this.ask(client, change === 'revoke' ? await this.someGrant() : change);
  }

  /** The rights of all users whose credentials they have, as `action resource`. */
  async allowed(): Promise<Set<string>> {
    const found = new Set<string>();
    for (const id of this.held) for (const one of await this.allowedTo(id)) found.add(one);
    return found;
  }

  private async ask(client: Client, { method, path, body }: Change): Promise<boolean> {
    const filled = (text: string): string =>
      text.replaceAll('{t}', this.tenant).replaceAll(/\{(\d)\}/g, (_, at: string) => people[Number(at)]!.userId);
    const payload = body && (JSON.parse(filled(JSON.stringify(body))) as object);
    const answer = await client.request(method, `/tenants/${this.tenant}/${filled(path)}`, payload);
    if (answer.status === 400 || answer.status >= 500) throw new Error(`${method} ${path}: ${answer.text}`);
    return answer.status < 300;
  }

  private async boundedKey(who: 0 | 1, actions: readonly string[]): Promise<Client> {
    const name = `${who} ${actions.join()}`;
    if (!this.keys.has(name)) {
      const key = await people[who].client.post<{ key: string }>('/users/me/api-keys', { name, actions });
      this.keys.set(name, app.client.with({ 'x-api-key': key.body.key }));
    }
    return this.keys.get(name)!;
  }

  private async takeKey(client: Client): Promise<boolean> {
    const third = people[2].userId;
    const taken = (await client.post(`/users/${third}/api-keys`, { name: 'k', scopes: null })).status === 201;
    if (taken) this.held.add(third);
    return taken;
  }

  private async someGrant(): Promise<Change> {
    const { body } = await app.client.get<{ items: { id: string }[] }>(`/tenants/${this.tenant}/permissions`);
    return { method: 'DELETE', path: `permissions/${body.items.at(-1)?.id ?? 'none'}` };
  }

  private async allowedTo(userId: string): Promise<string[]> {
    const user = { kind: 'user', id: userId } as const;
    const compiled = async (place: string) =>
      rulesFor(place, await rules.tenantRules(place), await rules.principalRules(place, user));
    const inTenant = await compiled(this.tenant);
    // An owner can lift every denial in the tenant: what is denied to an owner is within their reach.
    const reach = holdsTopRole(this.tenant, inTenant) ? inTenant.filter(({ effect }) => effect === 'allow') : inTenant;
    const policy = new Policy(withoutLockout(this.tenant, reach, await compiled(SYSTEM_TENANT)));
    const shop = `tenants/${this.tenant}/namespaces/shop`;
    const resources = [`tenants/${this.tenant}`, shop, ...TOPICS.map((topic) => `${shop}/topics/${topic}`)];
    const context = { now: Date.now(), address: '127.0.0.1' };
    return resources.flatMap((one) =>
      ACTIONS.flatMap((action) =>
        ['order.created', 'payroll.paid']
          .filter((eventType) => policy.check(action, one, { ...context, eventType }).allowed)
          .map((eventType) => `${action} ${one} ${eventType}`),
      ),
    );
  }

  async leave(): Promise<void> {
    for (const { userId } of people) {
      const { body } = await app.client.get<{ items: { id: string; name: string }[] }>(`/users/${userId}/api-keys`);
      for (const { id, name } of body.items)
        if (name !== 'key') await app.client.delete(`/users/${userId}/api-keys/${id}`);
    }
    await app.client.delete(`/tenants/${this.tenant}?force=true`);
  }
}

it('no sequence of accepted calls gives two friends more rights than they had before', async () => {
  let accepted = 0;
  const world = fc.record({
    beginning: fc.array(standing, { minLength: 4, maxLength: 6 }),
    start: fc.array(changes, { minLength: 4, maxLength: 12 }),
    acts: fc.array(act, { minLength: CALLS, maxLength: CALLS }),
  });
  await fc.assert(
    fc.asyncProperty(world, async ({ beginning, start, acts }) => {
      const here = await World.create([...beginning, ...start]);
      try {
        const before = await here.allowed();
        for (const one of acts) {
          if (!(await here.perform(one))) continue;
          accepted++;
          const gained = [...(await here.allowed())].filter((what) => !before.has(what));
          expect([one, gained]).toEqual([one, []]);
        }
      } finally {
        await here.leave();
      }
    }),
    { numRuns: WORLDS },
  );
  // Otherwise the test would have tried nothing.
  expect(accepted).toBeGreaterThan(3 * WORLDS);
}, 120_000);
