import { randomUUID } from 'node:crypto';
import { sharedApp } from '../support/server/app.js';
import { Keys } from '../support/api/api-keys.js';
import type { Answer, Client, Problem, RequestHeaders } from '../support/api/client.js';
import { bearer, Person as Somebody } from '../support/api/people.js';
import { member, type Person } from '../support/api/strangers.js';
import { Workspace, type Published } from '../support/api/workspace.js';

const EVENT = { type: 't', data: 1 };
const REPLAYED = 'idempotent-replayed';

const app = await sharedApp();
let shop: Workspace;
let other: Workspace;
let person: Person;
let key: RequestHeaders;

beforeEach(async () => {
  [shop, other] = await Promise.all([Workspace.create(app.client), Workspace.create(app.client)]);
  person = await member(app, shop.tenant, 'owner');
  key = { 'idempotency-key': randomUUID() };
});

const publish = (client: Client, where = shop, body: object | string = EVENT): Promise<Answer<Published & Problem>> =>
  where.through(client).tryPublish(body, key);
const told = ({ status, body, headers }: Answer<Problem>) => [status, body.code, headers.get(REPLAYED)];
const stored = async (where = shop): Promise<number> => (await where.readAll()).length;

describe('an Idempotency-Key', () => {
  it('is separate in each tenant: both requests run, and neither sees the other response', async () => {
    const there = await member(app, other.tenant, 'owner');
    const [first, second] = [await publish(person.client), await publish(there.client, other)];
    expect([told(first), told(second)]).toEqual([
      [201, undefined, null],
      [201, undefined, null],
    ]);
    expect(second.body.events[0]!.id).not.toBe(first.body.events[0]!.id);
    expect([await stored(), await stored(other)]).toEqual([1, 1]);
  });

  it('is separate for each user of a tenant, and for each key of a user', async () => {
    const colleague = await member(app, shop.tenant, 'publisher');
    const second = app.client.with({ 'x-api-key': (await new Keys(person.client).create()).key });
    const answers = [];
    for (const client of [person.client, colleague.client, second, app.client]) answers.push(await publish(client));
    expect(answers.map(told)).toEqual(answers.map(() => [201, undefined, null]));
    expect(new Set(answers.map(({ body }) => body.events[0]!.id)).size).toBe(4);
    expect((await publish(person.client)).text).toBe(answers[0]!.text);
    expect(await stored()).toBe(4);
  });

  it('shows a stranger nothing: they are refused as without it, and do not use it up', async () => {
    await publish(person.client);
    const stranger = await member(app, other.tenant, 'owner');
    expect(told(await publish(stranger.client))).toEqual([404, 'tenant-not-found', null]);
    expect(told(await publish(app.client.with({})))).toEqual([401, 'unauthenticated', null]);
    expect((await publish(person.client)).headers.get(REPLAYED)).toBe('true');
  });

  it('does not return its first response once the right to the request is gone', async () => {
    const first = await publish(person.client);
    expect(first.status).toBe(201);
    await app.client.delete(`/tenants/${shop.tenant}/members/${person.userId}`);
    expect(told(await publish(person.client))).toEqual([404, 'tenant-not-found', null]);
  });

  it.each<[string, object | string]>([
    ['another value', { ...EVENT, data: 2 }],
    ['one more field', { ...EVENT, key: 'k' }],
    ['the same with another space', '{"type":"t", "data":1}'],
    ['the same as an array', [EVENT]],
  ])('with another body is 409, and nothing changes: %s', async (_, body) => {
    await publish(person.client);
    expect(told(await publish(person.client, shop, body))).toEqual([409, 'idempotency-key-reused', null]);
    expect(await stored()).toBe(1);
  });

  it('with another address is 409: topic, namespace, tenant, kind of resource', async () => {
    const owned = await member(app, other.tenant, 'owner');
    await app.client.request('PUT', `/tenants/${shop.tenant}/members/${owned.userId}`, { roles: ['owner'] });
    await shop.createTopic('returns');
    expect((await publish(owned.client)).status).toBe(201);
    for (const path of [shop.events('returns'), other.events(), `${shop.base}/topics`, '/users/me/api-keys'])
      expect([path, ...told(await owned.client.post(path, EVENT, key))]).toEqual([
        path,
        409,
        'idempotency-key-reused',
        null,
      ]);
    expect([await stored(), (await shop.readAll('returns')).length, await stored(other)]).toEqual([1, 0, 0]);
  });

  it('used many times at once with different bodies runs one of them', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => publish(person.client, shop, { type: 't', data: n })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
    expect(await stored()).toBe(1);
  });

  it.each(['', ' ', 'a b', 'ä', 'x'.repeat(256)])('that is invalid is 400: %j', async (value) => {
    const bytes = Buffer.from(value, 'utf8').toString('latin1');
    const answer = await shop.through(person.client).tryPublish(EVENT, { 'idempotency-key': bytes });
    expect([answer.status, answer.body.code]).toEqual([400, 'idempotency-key-invalid']);
    expect(await stored()).toBe(0);
  });

  it('does not show a secret in the response of one user to another: a new API key', async () => {
    const [one, two] = [await Somebody.create(app), await Somebody.create(app)];
    const clients = await Promise.all(
      [one, two].map(async (somebody) => somebody.anonymous.with(bearer((await somebody.login()).accessToken))),
    );
    const made = [];
    for (const client of clients)
      made.push(await client.post<{ key: string }>('/users/me/api-keys', { name: 'k' }, key));
    expect(made.map(({ status }) => status)).toEqual([201, 201]);
    expect(made[0]!.body.key).not.toBe(made[1]!.body.key);
  });

  it.todo('does not begin a second replay or export, also in another tenant (with replays and export jobs)');
});
