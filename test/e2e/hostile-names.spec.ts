import { bodyRoutesOf, withValue, type BodyPlace, type BodyRoute } from '../support/api/api-bodies.js';
import { sharedApp } from '../support/server/app.js';
import { routesOf, type ApiDocument } from '../support/api/openapi.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { SampleBodies } from '../support/api/sample-bodies.js';
import { Workspace, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let samples: SampleBodies;
let document: ApiDocument;
let routes: BodyRoute[];

beforeAll(async () => {
  samples = await SampleBodies.prepare(app);
  document = (await app.client.get<ApiDocument>('/openapi.json')).body;
  routes = bodyRoutesOf(document);
});

const EVENTS = /topics\/\{topicId\}\/events$/;
const placesOf = (wanted: (route: BodyRoute, place: BodyPlace) => boolean): [BodyRoute, BodyPlace][] =>
  routes.flatMap((route) =>
    route.places.filter((place) => wanted(route, place)).map((place): [BodyRoute, BodyPlace] => [route, place]),
  );

/** Results of a text in each of the places, without the expected refusals and acceptances. */
async function takenIn(places: readonly [BodyRoute, BodyPlace][], text: string): Promise<string[]> {
  const taken: string[] = [];
  for (const [route, { pointer }] of places) {
    const { status } = await samples.send(route, withValue(samples.bodyWith(route, pointer), pointer, text));
    if (status < 400 || status >= 500) taken.push(`${route.name} ${pointer}: ${status}`);
  }
  return taken;
}

describe('texts in bodies', () => {
  const isText = (_: BodyRoute, { kind }: BodyPlace): boolean => kind === 'text' || kind === 'choice';
  /** Any character may be part of a secret. */
  const isSecret = ({ pointer }: BodyPlace): boolean => /[pP]assword$/.test(pointer);
  const isProse = ({ pointer }: BodyPlace): boolean => pointer === '/description';
  /** Search texts are not names, and the response to a reset request is the same for every e-mail. */
  const isSought = ({ name }: BodyRoute): boolean => /audit\/export$|reset-request$/.test(name);
  /** Names that producers give, and that only they and their readers see. */
  const isOfProducer = (route: BodyRoute, { pointer }: BodyPlace): boolean =>
    EVENTS.test(route.path) && /^\/(key|stream)$/.test(pointer);

  it.each([
    ['NUL', 'a\0b'],
    ['a lone surrogate', 'a\ud800'],
    ['the other half', '\udfffb'],
  ])('with %s are refused in every place, never stored as something else, and never a 500', async (_, text) => {
    expect(
      await takenIn(
        placesOf((route, place) => isText(route, place) && !isSecret(place)),
        text,
      ),
    ).toEqual([]);
  });

  it.each([
    ['a line break', 'a\r\nb', isProse],
    ['an escape', 'a\u001b[2Jb', () => false],
    ['a change of text direction', 'a\u202etxt.exe', () => false],
    ['a zero-width space', 'a\u200bb', () => false],
    ['100,000 characters', 'x'.repeat(100_000), () => false],
  ] as [string, string, (place: BodyPlace) => boolean][])('with %s are refused', async (_, text, isMeant) => {
    const isVisible = (route: BodyRoute, place: BodyPlace): boolean =>
      text.length > 1_000 || /\p{Cc}/u.test(text) || !(isSought(route) || isOfProducer(route, place));
    const places = placesOf(
      (route, place) => isText(route, place) && !isSecret(place) && !isMeant(place) && isVisible(route, place),
    );
    expect(places.length).toBeGreaterThan(40);
    expect(await takenIn(places, text)).toEqual([]);
  });
});

const TOO_LONG = 'a'.repeat(64);
const NOT_IDS = [
  '',
  '.',
  '..',
  'a..b',
  'a/b',
  'a\\b',
  '%00',
  '%2e%2e%2f',
  'a\r\nb',
  'a\0',
  'a\u202eb',
  'a\u200bb',
  'a b',
];
const NOT_CHOSEN = [
  ...NOT_IDS,
  '$x',
  '$system',
  '$management',
  'CON',
  'A',
  '-a',
  '_a',
  '.a',
  'ä',
  TOO_LONG,
  'é'.repeat(1_400),
];

describe('ids that clients choose', () => {
  const places = (): [BodyRoute, BodyPlace][] =>
    placesOf(({ path }, { pointer }) => pointer === '/id' && !EVENTS.test(path));

  it('are 1 to 63 characters of a small set, or refused', async () => {
    expect(places().map(([{ path }]) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['tenants', 'namespaces', 'topics', 'consumers', 'roles', 'groups']),
    );
    for (const id of NOT_CHOSEN) expect([id, await takenIn(places(), id)]).toEqual([id, []]);
  });

  it('have up to 63 characters, and may be reserved words of other places', async () => {
    for (const [route] of places())
      for (const id of [`${'a'.repeat(60)}.-_`, 'con', 'nul', 'constructor', '0'])
        expect([route.name, id, (await samples.send(route, { ...samples.bodies(route)[0], id })).status]).toEqual([
          route.name,
          id,
          201,
        ]);
  });

  it('of events have bounds of their own', async () => {
    const [publish] = placesOf(({ path }, { pointer }) => EVENTS.test(path) && pointer === '/id') as [
      [BodyRoute, BodyPlace],
    ];
    for (const id of [...NOT_IDS, '$x', 'ä', 'a'.repeat(129), 'a%2fb', 'a"b'])
      expect([id, await takenIn([publish], id)]).toEqual([id, []]);
  });
});

describe('addresses', () => {
  const HOSTILE = [
    ...NOT_IDS.slice(1),
    '$x',
    'CON',
    'ÄÖ',
    '*',
    '**',
    "x' OR 1=1--",
    '<script>',
    '__proto__',
    'toString',
    '%',
    ' ',
    'x'.repeat(5_000),
  ];
  const REFUSED = [400, 404, 414];
  const EVENTS_IN = '/tenants/{tenantId}/namespaces/{namespaceId}/topics/{topicId}/events';
  /** A checked user need not exist, nor what is removed; and a publish checks its type first. */
  const MEANT: Readonly<Record<string, number>> = {
    'GET /audit/users/{userId} userId': 200,
    'GET /tenants/{tenantId}/audit/users/{userId} userId': 200,
    'GET /users/{userId}/effective-permissions userId': 200,
    'DELETE /tenants/{tenantId}/groups/{groupId}/members/{userId} userId': 204,
    'DELETE /tenants/{tenantId}/groups/{groupId}/groups/{nestedGroupId} nestedGroupId': 204,
    'DELETE /tenants/{tenantId}/groups/{groupId}/roles/{roleId} roleId': 204,
    [`POST ${EVENTS_IN} namespaceId`]: 415,
    [`POST ${EVENTS_IN} topicId`]: 415,
  };
  /** Escapes every character that may be escaped. */
  const escaped = (name: string): string =>
    encodeURIComponent(name).replace(/[.*']/g, (c) => `%${c.charCodeAt(0).toString(16)}`);

  it.each(HOSTILE)('that name %j are 400, 404 or 414, for every route and kind of name', async (name) => {
    const named = routesOf(document).flatMap(({ method, path }) =>
      [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({ method, path, parameter })),
    );
    expect(named.length).toBeGreaterThan(150);
    // No permission covers the path that such a name would give.
    const right = name.includes('/') ? [...REFUSED, 403] : REFUSED;
    const rest = named.values();
    const wrong: string[] = [];
    const work = async (): Promise<void> => {
      for (const { method, path, parameter } of rest) {
        const filled = path.replace(/\{(\w+)\}/g, (_, one: string) =>
          one === parameter ? escaped(name) : (samples.places[one] ?? 'x'),
        );
        const { authorization } = samples.client.headers;
        const head = `${method} ${filled} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`;
        const { status } = await sendRaw(app.url, head);
        if (!right.includes(status) && status !== MEANT[`${method} ${path} ${parameter}`])
          wrong.push(`${method} ${path} ${parameter}: ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    expect(wrong).toEqual([]);
  });
});

it('names as long as they may be, in characters of three bytes, fit into every index', async () => {
  const shop = await Workspace.create(app.client);
  const odd = (length: number): string =>
    Array.from({ length }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000))).join('');
  const [key, stream] = [odd(255), odd(254)];
  await shop.publish({ type: 't'.repeat(255), id: 'i'.repeat(128), key, stream, data: 1 });
  const [read] = (await shop.read(`?key=${encodeURIComponent(key)}`)).items as [ReadEvent];
  expect(read).toMatchObject({ key, stream, position: 1 });
  const path = `${shop.base}/topics/orders/streams/${encodeURIComponent(stream)}`;
  expect((await app.client.get<{ streamVersion: number }>(path)).body.streamVersion).toBe(1);
  for (const field of ['key', 'stream'])
    expect((await shop.tryPublish({ type: 't', data: 1, [field]: odd(256) })).status).toBe(400);
  const email = `${odd(100)}@${odd(153)}`;
  const user = await app.client.post<{ id: string; email: string }>('/users', { email });
  expect([user.status, user.body.email]).toEqual([201, email]);
  expect((await app.client.post('/users', { email: `${odd(101)}@${odd(153)}` })).status).toBe(400);
});
