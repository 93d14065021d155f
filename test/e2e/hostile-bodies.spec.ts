import { bodyRoutesOf, jsonWithMember, withValue, type BodyPlace, type BodyRoute } from '../support/api/api-bodies.js';
import { sharedApp } from '../support/server/app.js';
import type { Answer, Problem } from '../support/api/client.js';
import { routesOf, type ApiDocument } from '../support/api/openapi.js';
import { SampleBodies, valueAt } from '../support/api/sample-bodies.js';
import { stranger } from '../support/api/people.js';
import { newPerson } from '../support/api/strangers.js';
import { Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let samples: SampleBodies;
let document: ApiDocument;
let routes: BodyRoute[];

beforeAll(async () => {
  samples = await SampleBodies.prepare(app);
  document = (await app.client.get<ApiDocument>('/openapi.json')).body;
  routes = bodyRoutesOf(document);
});

const placesOf = (kind: string): [BodyRoute, BodyPlace][] =>
  routes.flatMap((route) =>
    route.places.filter((place) => place.kind === kind).map((place) => [route, place] as const),
  ) as [BodyRoute, BodyPlace][];
const shown = ({ status, text }: Answer<Problem>): string => `${status}: ${text.slice(0, 200)}`;

describe('the bodies of these tests', () => {
  it('exist for every route with a body, with all of its fields, and are valid', async () => {
    expect(samples.missing(routes)).toEqual([]);
    for (const route of routes) {
      for (const { pointer } of route.places)
        expect([route.name, pointer, valueAt(samples.bodyWith(route, pointer), pointer)]).not.toContain(undefined);
      const answer = await samples.send(route, samples.bodies(route)[0]!);
      expect([route.name, samples.passed(route, answer) || shown(answer)]).toEqual([route.name, true]);
    }
    expect(routes.length).toBeGreaterThan(30);
  });
});

describe('fields that no client may choose', () => {
  const ROLES = ['role', 'roles', 'permissions', 'isSystem', 'isAdmin', 'tenantId', 'tenant', 'userId', 'owner'];
  const STATE = [
    'id',
    'state',
    'status',
    'version',
    'createdBy',
    'createdAt',
    'position',
    'publishedBy',
    'passwordHash',
  ];
  const CHOSEN = [...ROLES, ...STATE];

  it('are refused by name in every object of every body', async () => {
    for (const [route, { pointer, fields }] of placesOf('object')) {
      const foreign = CHOSEN.filter((field) => !fields.includes(field));
      const body = foreign.reduce<object>(
        (all, field) => withValue(all, `${pointer}/${field}`, 'owner'),
        samples.bodyWith(route, pointer),
      );
      const { status, body: problem } = await samples.send(route, body);
      const named = problem
        .errors!.filter(({ detail }) => detail === 'is not a known field')
        .map((error) => error.pointer);
      expect([route.name, status, named.toSorted()]).toEqual([
        route.name,
        400,
        foreign.map((field) => `${pointer}/${field}`).toSorted(),
      ]);
    }
  });

  it('change nothing on routes without a body', async () => {
    const shop = await Workspace.create(app.client);
    const { userId } = await newPerson(app);
    const consumer = await shop.register('http://127.0.0.1:65000/');
    const user = (await app.client.get<object>(`/users/${userId}`)).body;
    const roles = { roleId: 'owner', roles: ['owner'], role: 'system-admin', tenantId: '$system', userId: 'me' };
    const path = `/tenants/${shop.tenant}/users/${userId}/roles/viewer`;
    const member = await app.client.request<object>('PUT', path, roles);
    expect(member.body).toMatchObject({ userId, roles: ['viewer'], scopedRoles: [] });
    await app.client.post(`/users/${userId}/activate`, { ...roles, kind: 'human', email: 'x@example.test' });
    expect((await app.client.get<object>(`/users/${userId}`)).body).toEqual(user);
    const { body } = await app.client.post<object>(`${shop.consumer(consumer.id)}/pause`, {
      url: 'http://127.0.0.1:65001/',
      state: 'active',
      id: 'x',
      correlationId: 'x',
    });
    const { id, url, correlationId } = consumer;
    expect(body).toMatchObject({ id, url, correlationId, state: 'paused' });
  });

  it('are ordinary attributes of a CloudEvent that the event itself ignores', async () => {
    const shop = await Workspace.create(app.client);
    const attributes = { role: 'owner', tenantid: 'other', position: 9, publishedby: 'me', issystem: true };
    const event = { specversion: '1.0', id: 'ce', source: '/x', type: 't', data: 1, ...attributes };
    await shop.publish(event, 'orders', { 'content-type': 'application/cloudevents+json' });
    const [read] = (await shop.read()).items as [ReadEvent];
    expect(read).toMatchObject({ id: 'ce', position: 1, metadata: { cloudEvents: attributes } });
    await shop.publish({ type: 't', data: 1 });
    expect(read.publishedBy).toEqual((await shop.read()).items[1]!.publishedBy);
  });
});

/** The one of the code under test, and that of Node's own modules, which differ under Jest. */
const PROTOTYPES: object[] = [Object.prototype, Object.getPrototypeOf(URL.prototype) as object];
const membersOf = (): string[][] => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).map(String));

describe('members that every object inherits', () => {
  let before: string[][];
  beforeAll(() => (before = membersOf()));
  afterEach(() => {
    if (JSON.stringify(membersOf()) !== JSON.stringify(before)) throw new Error('A prototype was polluted.');
  });

  const MEMBERS = [
    '"__proto__":{"polluted":true}',
    '"\\u005f_proto_\\u005f":{"polluted":true}',
    '"constructor":{"prototype":{"polluted":true}}',
    '"c\\u006fnstructor":{"prot\\u006ftype":{"polluted":true}}',
    '"constructor":"x"',
    '"prototype":{"polluted":true}',
    '"toString":"x"',
    '"hasOwnProperty":{"polluted":true}',
    '"__defineGetter__":"x"',
  ];

  it.each(MEMBERS)('are refused in every object of every body: %s', async (member) => {
    const places = [...placesOf('object'), ...placesOf('map')];
    for (const [route, { pointer }] of places) {
      const answer = await samples.send(route, jsonWithMember(samples.bodyWith(route, pointer), pointer, member));
      expect([route.name, pointer, answer.status === 400 || shown(answer)]).toEqual([route.name, pointer, true]);
    }
    expect(places.length).toBeGreaterThan(50);
  });

  it('are refused in every query string, and ignored in those of probes', async () => {
    const queries = [
      '__proto__=1',
      '__proto__[polluted]=1',
      'constructor[prototype][polluted]=1',
      'constructor=1',
      'toString=1',
      '__proto__.polluted=1',
    ];
    for (const route of routesOf(document).filter(({ method }) => method === 'GET')) {
      const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => samples.places[name] ?? 'x');
      for (const query of queries) {
        const { status } = await samples.client.get(`${path}?${query}`, stranger());
        const right = route.path.startsWith('/health/') ? [200] : [400, 404];
        expect([route.name, query, right.includes(status) || status]).toEqual([route.name, query, true]);
      }
    }
  });

  it('are ordinary members in data and metadata: they come back, and filters see them like others', async () => {
    const shop = await Workspace.create(app.client);
    const payload = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"n":{"__proto__":1}}';
    await shop.publish(`{"id":"with","type":"t","data":${payload},"metadata":${payload}}`);
    await shop.publish('{"id":"without","type":"t","data":{},"metadata":{}}');
    const { text } = await app.client.get(shop.events());
    expect(text.split(payload)).toHaveLength(3);
    const found = async (filter: string): Promise<string> =>
      (await shop.read(`?filter=${encodeURIComponent(filter)}`)).items.map(({ id }) => id).join();
    for (const filter of [
      'data.__proto__.polluted == true',
      'data["__proto__"].polluted',
      'has(data.constructor.prototype)',
      'metadata.constructor.prototype.polluted',
      'data.n.__proto__ == 1',
    ])
      expect([filter, await found(filter)]).toEqual([filter, 'with']);
    for (const filter of ['has(data.toString)', 'data.__proto__.constructor == 1', 'data.hasOwnProperty == 1'])
      expect([filter, await found(filter)]).toEqual([filter, '']);
    for (const filter of ['__proto__ == 1', 'constructor("x")', 'type.constructor == 1', 'data.toString() == ""'])
      expect([filter, (await app.client.get(`${shop.events()}?filter=${encodeURIComponent(filter)}`)).status]).toEqual([
        filter,
        400,
      ]);
  });

  it('find nothing as types, keys, streams, places or attributes', async () => {
    const shop = await Workspace.create(app.client);
    await shop.publish({ type: 't', data: 1 });
    for (const name of ['__proto__', 'constructor', 'toString']) {
      for (const parameter of ['type', 'key', 'stream'])
        expect((await shop.read(`?${parameter}=${name}`)).items).toEqual([]);
      expect([400, 404]).toContain((await app.client.get(`${shop.events()}?after=${name}`)).status);
      expect((await app.client.get<Page<object>>(`/audit?resource=${name}`)).body.items).toEqual([]);
      const check = { action: name, resource: `tenants/${shop.tenant}` };
      expect((await app.client.post('/authz/check', check)).status).toBe(400);
    }
    const event = '{"specversion":"1.0","id":"x","source":"/x","type":"t","data":1,"__proto__":"x"}';
    const headers = { 'content-type': 'application/cloudevents+json' };
    expect((await shop.tryPublish(event, headers)).status).toBe(400);
  });
});
