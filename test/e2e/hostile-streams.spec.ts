import { sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { member, newPerson, type Person } from '../support/api/strangers.js';
import { Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;
let owner: Person;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
  owner = await member(app, shop.tenant, 'owner');
});

describe('a stream', () => {
  const publishTo = (stream: string, ...types: string[]) =>
    shop.publish(types.map((type) => ({ type, stream, data: 1 })));
  const limited = async (eventTypes: string[], ...actions: string[]): Promise<Person> => {
    const person = await newPerson(app);
    const resource = `tenants/${shop.tenant}/namespaces/shop/topics/orders`;
    const body = {
      principal: { user: person.userId },
      effect: 'allow',
      actions,
      resource,
      constraints: { eventTypes },
    };
    const { status, text } = await app.client.post(`/tenants/${shop.tenant}/permissions`, body);
    if (status !== 201) throw new Error(text);
    return person;
  };
  const read = (client: Client, stream: string, query = '') =>
    client.get<Page<ReadEvent> & { streamVersion: number; code?: string }>(
      `${shop.base}/topics/orders/streams/${stream}${query}`,
    );

  it('that has only events of hidden types looks like a missing one', async () => {
    const reader = await limited(['order.*'], 'event:read');
    await publishTo('emp-7', 'payroll.paid');
    const [hidden, unknown] = [await read(reader.client, 'emp-7'), await read(reader.client, 'emp-8')];
    const { correlationId: _, instance: __, ...rest } = hidden.body as unknown as Record<string, unknown>;
    expect([hidden.status, rest]).toEqual([404, expect.objectContaining({ code: 'stream-not-found' })]);
    expect(unknown.body).toMatchObject(rest);
  });

  it('ends with the last event that the reader may see, page by page', async () => {
    const reader = await limited(['order.*'], 'event:read');
    await publishTo(
      's',
      'a.x',
      'order.1',
      ...Array.from({ length: 150 }, () => 'a.x'),
      'order.2',
      'order.3',
      'a.x',
      'a.x',
    );
    const whole = await read(reader.client, 's');
    expect(whole.body).toMatchObject({ streamVersion: 154, nextCursor: null });
    expect(whole.body.items.map(({ type }) => type)).toEqual(['order.1', 'order.2', 'order.3']);
    const paged: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await read(reader.client, 's', `?limit=1${cursor}`);
      expect(body.streamVersion).toBe(154);
      paged.push(...body.items.map(({ type }) => type));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`;
    }
    expect(paged).toEqual(['order.1', 'order.2', 'order.3']);
    expect((await read(owner.client, 's')).body.streamVersion).toBe(156);
  });

  it('shows its version only to a publisher that may read it', async () => {
    await publishTo('s', 'payroll.paid', 'payroll.paid');
    const blind = await limited(['order.*'], 'event:publish');
    const narrow = await limited(['order.*'], 'event:publish', 'event:read');
    const expecting = { 'expected-stream-version': '7' };
    const event = { type: 'order.paid', stream: 's', data: 1 };
    for (const { client } of [blind, narrow]) {
      const { status, body, text } = await client.post(shop.events(), event, expecting);
      expect([status, body.code, body['expectedVersion']]).toEqual([409, 'stream-version-conflict', 7]);
      expect([body['actualVersion'], text.includes('version 2')]).toEqual([undefined, false]);
    }
    const { body } = await owner.client.post(shop.events(), event, expecting);
    expect(body['actualVersion']).toBe(2);
  });
});
