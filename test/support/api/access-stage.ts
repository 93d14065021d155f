import jwt from 'jsonwebtoken';
import { KeyRing } from '../../../src/platform/crypto/keys.js';
import type { Actor, Places } from '../checks/access-matrix.js';
import { SECRET_KEY, startInside, type TestApp } from '../server/app.js';
import type { Client } from './client.js';
import { Keys, type Issued } from './api-keys.js';
import { bearer, Person } from './people.js';
import { connect } from '../server/postgres.js';
import { newPerson } from './strangers.js';
import { Workspace } from './workspace.js';

const TENANT_ROLES = ['owner', 'admin', 'developer', 'publisher', 'subscriber', 'viewer', 'auditor'];
const SYSTEM_ROLES = ['system-admin', 'system-operator', 'system-auditor'];

/** For those who may suspend tenants. */
export const HALTED_BECAUSE = 'mark-unpaid-invoice';

async function done(answer: Promise<{ readonly status: number; readonly text: string }>): Promise<void> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`${status}: ${text}`);
}

/** A tenant with everything that one may contain, another one, a suspended one, and every kind of caller there. */
export class AccessStage {
  readonly actors: Actor[] = [];
  readonly haltedActors: Actor[] = [];

  private constructor(
    private readonly app: TestApp,
    readonly shop: Workspace,
    readonly foreign: Workspace,
    private readonly haltedShop: Workspace,
    readonly places: Places,
  ) {}

  static async set(): Promise<AccessStage> {
    const app = await startInside();
    const [shop, foreign, haltedShop] = await Promise.all([1, 2, 3].map(() => Workspace.create(app.client)));
    const somebody = await newPerson(app);
    const { tenant: tenantId } = shop!;
    const places = {
      tenantId,
      namespaceId: 'shop',
      topicId: 'orders',
      consumerId: 'warehouse',
      userId: somebody.userId,
    };
    const stage = new AccessStage(app, shop!, foreign!, haltedShop!, places);
    await stage.bringRoles();
    await stage.bringKeys();
    await stage.bringPeople();
    await stage.bringTheWorthless();
    await stage.halt();
    return stage;
  }

  get admin(): { readonly client: Client } {
    return this.app;
  }

  get halted(): string {
    return this.haltedShop.tenant;
  }

  strike(): Promise<void> {
    return this.app.stop();
  }

  private async member(tenant: string, role: string): Promise<{ readonly userId: string; readonly client: Client }> {
    const person = await newPerson(this.app);
    await done(this.app.client.request('PUT', `/tenants/${tenant}/members/${person.userId}`, { roles: [role] }));
    return person;
  }

  private async bringRoles(): Promise<void> {
    const at = `tenants/${this.shop.tenant}`;
    for (const role of TENANT_ROLES) {
      const { userId, client } = await this.member(this.shop.tenant, role);
      this.actors.push({ name: role, client, kind: 'api-key', userId, roles: [{ role, at }] });
    }
    for (const role of SYSTEM_ROLES) {
      const { userId, client } = await newPerson(this.app);
      await done(this.app.client.request('PUT', `/users/${userId}/roles/${role}`));
      this.actors.push({ name: role, client, kind: 'api-key', userId, roles: [{ role, at: '' }] });
    }
    const neighbour = await this.member(this.foreign.tenant, 'admin');
    const roles = [{ role: 'admin', at: `tenants/${this.foreign.tenant}` }];
    this.actors.push({ ...neighbour, name: "another tenant's administrator", kind: 'api-key', roles });
  }

  /** Keys of one owner, each with other bounds. */
  private async bringKeys(): Promise<void> {
    const { tenant } = this.shop;
    const { userId, client } = await this.member(tenant, 'owner');
    const keys = new Keys(client);
    const roles = [{ role: 'owner', at: `tenants/${tenant}` }];
    const add = async (name: string, bounds: object, meaning: Pick<Actor, 'scopes' | 'actions'>): Promise<void> => {
      const { key } = await keys.create(bounds);
      this.actors.push({
        name: `a key ${name}`,
        client: this.withKey(key),
        kind: 'api-key',
        userId,
        roles,
        ...meaning,
      });
    };
    const namespace = { tenant, namespace: 'shop' };
    const path = `tenants/${tenant}`;
    await add('for the tenant', { scopes: [{ tenant }] }, { scopes: [path] });
    await add('for a namespace', { scopes: [namespace] }, { scopes: [`${path}/namespaces/shop`] });
    await add(
      'for a topic',
      { scopes: [{ ...namespace, topic: 'orders' }] },
      { scopes: [`${path}/namespaces/shop/topics/orders`] },
    );
    await add(
      'for another topic',
      { scopes: [{ ...namespace, topic: 'x' }] },
      { scopes: [`${path}/namespaces/shop/topics/x`] },
    );
    // A key is created for a tenant in which its owner has a role, and stays when the owner leaves it.
    const there = `/tenants/${this.foreign.tenant}/members/${userId}`;
    await done(this.app.client.request('PUT', there, { roles: ['viewer'] }));
    await add(
      'for another tenant',
      { scopes: [{ tenant: this.foreign.tenant }] },
      { scopes: [`tenants/${this.foreign.tenant}`] },
    );
    await done(this.app.client.request('DELETE', there));
    await add('for one action', { actions: ['event:publish'] }, { actions: ['event:publish'] });
    const both = { scopes: [namespace], actions: ['topic:read'] };
    await add('for one action in a namespace', both, { scopes: [`${path}/namespaces/shop`], actions: ['topic:read'] });
  }

  /** With tokens, as people have them. */
  private async bringPeople(): Promise<void> {
    const at = `tenants/${this.shop.tenant}`;
    const developer = await this.person('developer');
    const { accessToken } = await developer.login();
    const [userId, kind] = [developer.user.id, 'user' as const];
    this.actors.push({
      name: 'a developer by token',
      client: this.withToken(accessToken),
      kind,
      userId,
      roles: [{ role: 'developer', at }],
    });
    const stranger = await Person.create(this.app);
    const token = (await stranger.login()).accessToken;
    this.actors.push({
      name: 'a user without any role',
      client: this.withToken(token),
      kind,
      userId: stranger.user.id,
      roles: [],
    });
    // Made as the server makes them: the refusals below are for their time alone.
    const again = this.withToken(resigned(accessToken, 600));
    this.actors.push({
      name: 'a token that was signed again',
      client: again,
      kind,
      userId,
      roles: [{ role: 'developer', at }],
    });
    this.worthless('an expired token', this.withToken(resigned(accessToken, -60)));
  }

  /** All of them would be owners, if their credentials were valid. */
  private async bringTheWorthless(): Promise<void> {
    this.worthless('nobody', this.app.client.with({}));
    this.worthless('a token that none is', this.withToken('eyJhbGciOiJub25lIn0.e30.'));
    const owner = new Keys((await this.member(this.shop.tenant, 'owner')).client);
    const [revoked, rotated, expired] = [await owner.create(), await owner.create(), await owner.create()];
    await done(owner.client.delete(`/users/me/api-keys/${revoked.id}`));
    await done(owner.client.post(`/users/me/api-keys/${rotated.id}/rotate`, { gracePeriodSeconds: 0 }));
    await this.expire(expired);
    this.worthless('a revoked key', this.withKey(revoked.key));
    this.worthless('a key that was rotated', this.withKey(rotated.key));
    this.worthless('an expired key', this.withKey(expired.key));
    const left = await this.person('owner');
    const session = await left.login();
    await done(this.withToken(session.accessToken).post('/auth/logout'));
    this.worthless('a session that has ended', this.withToken(session.accessToken));
    const suspended = await this.person('owner');
    const token = (await suspended.login()).accessToken;
    const { key } = await new Keys(this.withToken(token)).create();
    await done(this.app.client.post(`/users/${suspended.user.id}/suspend`, {}));
    this.worthless('a suspended user by token', this.withToken(token));
    this.worthless('a suspended user by key', this.withKey(key));
  }

  private async halt(): Promise<void> {
    const { tenant } = this.haltedShop;
    for (const role of ['owner', 'viewer']) {
      const { userId, client } = await this.member(tenant, role);
      const roles = [{ role, at: `tenants/${tenant}` }];
      this.haltedActors.push({ name: `its ${role}`, client, kind: 'api-key', userId, roles });
    }
    await done(this.app.client.post(`/tenants/${tenant}/suspend`, { reason: HALTED_BECAUSE }));
  }

  private async person(role: string): Promise<Person> {
    const person = await Person.create(this.app);
    await done(
      this.app.client.request('PUT', `/tenants/${this.shop.tenant}/members/${person.user.id}`, { roles: [role] }),
    );
    return person;
  }

  private async expire({ id }: Issued): Promise<void> {
    const sql = await connect(this.app.connection);
    await sql.query('UPDATE api_key SET expires_at = $2 WHERE key_id = $1', [id, Date.now() - 1]);
    await sql.end();
  }

  private worthless(name: string, client: Client): void {
    this.actors.push({ name, client, kind: undefined, roles: [] });
  }

  private withKey(key: string): Client {
    return this.app.client.with({ 'x-api-key': key });
  }

  private withToken(token: string): Client {
    return this.app.client.with(bearer(token));
  }
}

/** The same token with another ending. */
function resigned(token: string, seconds: number): string {
  const { header, payload } = jwt.decode(token, { complete: true })!;
  const { key } = new KeyRing(Buffer.from(SECRET_KEY)).current('access-tokens');
  const exp = Math.floor(Date.now() / 1_000) + seconds;
  return jwt.sign({ ...(payload as object), exp }, key, { algorithm: 'HS256', header });
}
