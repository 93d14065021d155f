import { sharedApp } from '../support/server/app.js';
import { Keys, type Issued } from '../support/api/api-keys.js';
import type { Client } from '../support/api/client.js';
import { member, type Person } from '../support/api/strangers.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let owner: Person;
let keys: Keys;

beforeEach(async () => {
  shop = await Workspace.create(app.client, ['orders', 'secret']);
  owner = await member(app, shop.tenant, 'owner');
  keys = new Keys(owner.client);
});

const grant = async (principal: object, effect: string, actions: string[], constraints?: object): Promise<void> => {
  const resource = `tenants/${shop.tenant}`;
  const body = { principal, effect, actions, resource, ...(constraints && { constraints }) };
  const answer = await app.client.post(`/tenants/${shop.tenant}/permissions`, body);
  if (answer.status !== 201) throw new Error(answer.text);
};
const publish = async (client: Client, type: string, topic = 'orders'): Promise<string> => {
  const { status, body } = await client.post(shop.events(topic), { type, data: 1 });
  return status === 201 ? '201' : `${status} ${body.code}`;
};
const typesRead = async (client: Client, query = ''): Promise<string[] | number> => {
  const { status, body } = await client.get<{ items: { type: string }[] }>(`${shop.events()}${query}`);
  return status === 200 ? body.items.map(({ type }) => type) : status;
};
const publishInTurn = async (clients: readonly Client[], type = 'order.paid'): Promise<string[]> => {
  const answers: string[] = [];
  for (const client of clients) answers.push(await publish(client, type));
  return answers;
};
const RATE = { limit: 2, windowSeconds: 3_600 };
const USED_UP = '429 permission-rate-limited';
const elsewhere = (): object => ({
  scopes: [{ tenant: shop.tenant, namespace: 'shop', topic: 'secret' }],
});

describe('a bound of a grant to an API key', () => {
  const bounded = async (bounds: object = {}): Promise<Issued & { readonly client: Client }> => {
    const key = await keys.create(bounds);
    return { ...key, client: keys.as(key.key) };
  };

  it('by types applies outside of the scope of the key, to publishing and reading', async () => {
    const key = await bounded(elsewhere());
    await shop.publish([
      { type: 'order.paid', data: 1 },
      { type: 'payroll.paid', data: 1 },
    ]);
    await grant({ apiKey: key.id }, 'allow', ['event:publish', 'event:read'], { eventTypes: ['order.*'] });
    expect(await publish(key.client, 'payroll.paid')).toBe('403 event-type-denied');
    expect(await publish(key.client, 'order.paid')).toBe('201');
    expect(await typesRead(key.client, '?type=payroll.paid')).toEqual([]);
    expect(await typesRead(key.client)).toEqual(['order.paid', 'order.paid']);
    expect(await publish(key.client, 'payroll.paid', 'secret')).toBe('201');
  });

  it('by a rate applies outside of the scope of the key', async () => {
    const key = await bounded(elsewhere());
    await grant({ apiKey: key.id }, 'allow', ['event:publish'], { rateLimit: RATE });
    const answers = await publishInTurn(Array.from({ length: 10 }, () => key.client));
    expect(answers).toEqual(['201', '201', ...Array.from({ length: 8 }, () => USED_UP)]);
    expect(await publish(key.client, 'order.paid', 'secret')).toBe('201');
  });

  it('as a denial by types applies to a key without bounds, also for batches and CloudEvents', async () => {
    const key = await bounded();
    await grant({ apiKey: key.id }, 'deny', ['event:publish', 'event:read'], { eventTypes: ['payroll.*'] });
    expect(await publish(key.client, 'payroll.paid')).toBe('403 event-type-denied');
    const batch = [
      { type: 'order.paid', data: 1 },
      { type: 'payroll.paid', data: 1 },
    ];
    expect(await key.client.post(shop.events(), batch)).toMatchObject({
      status: 403,
      body: { code: 'event-type-denied' },
    });
    const binary = { 'ce-specversion': '1.0', 'ce-id': 'c', 'ce-source': '/s', 'ce-type': 'payroll.paid' };
    expect((await key.client.post(shop.events(), '1', { 'content-type': 'application/json', ...binary })).status).toBe(
      403,
    );
    await shop.publish(batch);
    expect(await typesRead(key.client, '?type=payroll.paid')).toEqual([]);
    expect(await typesRead(key.client)).toEqual(['order.paid']);
    expect(await publish(key.client, 'order.paid')).toBe('201');
    expect(await publish(owner.client, 'payroll.paid')).toBe('201');
  });

  it('does not narrow what the bounds of the key already allow', async () => {
    const key = await bounded();
    await grant({ apiKey: key.id }, 'allow', ['event:publish'], { rateLimit: RATE, eventTypes: ['order.*'] });
    const answers = await publishInTurn([key.client, key.client, key.client], 'payroll.paid');
    expect(answers).toEqual(['201', '201', '201']);
  });

  it('is combined with the bounds of its owner: the types of both, the rates of both', async () => {
    const publisher = await member(app, shop.tenant);
    const own = new Keys(publisher.client);
    await grant({ user: publisher.userId }, 'allow', ['event:publish'], {
      eventTypes: ['order.*', 'x'],
      rateLimit: RATE,
    });
    const key = await own.create(elsewhere());
    const client = own.as(key.key);
    await grant({ apiKey: key.id }, 'allow', ['event:publish'], {
      eventTypes: ['order.*', 'y'],
      rateLimit: { limit: 1, windowSeconds: 3_600 },
    });
    expect([await publish(client, 'x'), await publish(client, 'y')]).toEqual([
      '403 event-type-denied',
      '403 event-type-denied',
    ]);
    expect(await publishInTurn([client, client])).toEqual(['201', USED_UP]);
    expect(await publishInTurn([publisher.client, publisher.client])).toEqual(['201', USED_UP]);
  });
});

describe('a rate', () => {
  it('is that of the person: new and rotated keys of theirs share it', async () => {
    const publisher = await member(app, shop.tenant);
    await grant({ user: publisher.userId }, 'allow', ['event:publish'], { rateLimit: RATE });
    const own = new Keys(publisher.client);
    const first = await own.create();
    const fresh = await Promise.all([1, 2, 3].map(() => own.create()));
    const answers = await publishInTurn([publisher.client, own.as(first.key), ...fresh.map(({ key }) => own.as(key))]);
    expect(answers).toEqual(['201', '201', USED_UP, USED_UP, USED_UP]);
    const rotated = (await own.rotate(first)).body.key;
    expect(await publish(own.as(rotated), 'order.paid')).toBe(USED_UP);
  });

  it('granted to a key stays with it when it is rotated', async () => {
    const key = await keys.create(elsewhere());
    await grant({ apiKey: key.id }, 'allow', ['event:publish'], { rateLimit: RATE });
    expect(await publishInTurn([keys.as(key.key), keys.as(key.key)])).toEqual(['201', '201']);
    const rotated = await keys.rotate(key);
    expect([rotated.status, await publish(keys.as(rotated.body.key), 'order.paid')]).toEqual([200, USED_UP]);
  });

  it('for some types does not limit types that are allowed without one', async () => {
    const publisher = await member(app, shop.tenant);
    await grant({ user: publisher.userId }, 'allow', ['event:publish'], { eventTypes: ['order.*'] });
    await grant({ user: publisher.userId }, 'allow', ['event:publish'], { eventTypes: ['invoice.*'], rateLimit: RATE });
    const three = Array.from({ length: 3 }, () => publisher.client);
    expect(await publishInTurn(three, 'order.paid')).toEqual(['201', '201', '201']);
    expect(await publishInTurn(three, 'invoice.paid')).toEqual(['201', '201', USED_UP]);
    expect(await publish(publisher.client, 'payroll.paid')).toBe('403 event-type-denied');
    expect(await publish(publisher.client, 'order.paid')).toBe('201');
  });
});
