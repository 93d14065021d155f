import { bodyRoutesOf, jsonWith, withValue, type BodyPlace, type BodyRoute } from '../support/api/api-bodies.js';
import { sharedApp } from '../support/server/app.js';
import { routesOf, type ApiDocument, type Route } from '../support/api/openapi.js';
import { stranger } from '../support/api/people.js';
import { SampleBodies } from '../support/api/sample-bodies.js';

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
    route.places.filter((place) => place.kind === kind).map((place): [BodyRoute, BodyPlace] => [route, place]),
  );

/** The places where JSON with that text is not 400. */
async function takenIn(places: readonly [BodyRoute, BodyPlace][], text: string): Promise<string[]> {
  const taken: string[] = [];
  for (const [route, { pointer }] of places) {
    const { status } = await samples.send(route, jsonWith(samples.bodyWith(route, pointer), pointer, text));
    if (status !== 400) taken.push(`${route.name} ${pointer}: ${status}`);
  }
  return taken;
}

describe('numbers in bodies', () => {
  const isFraction = ([, { pointer }]: [BodyRoute, BodyPlace]): boolean => /\/(multiplier|jitter)$/.test(pointer);

  it.each([
    '-1',
    '-9223372036854775809',
    '1e400',
    '-1e400',
    '9007199254740993',
    '9223372036854775808',
    '123456789012345678901234567890',
    '"10"',
    '"10abc"',
    '""',
    'true',
    '[]',
    '[1]',
    '{}',
    'NaN',
    'Infinity',
    '0x10',
    '01',
    '1_000',
  ])('are refused if they are %s', async (text) => {
    expect(placesOf('number').length).toBeGreaterThan(30);
    expect(await takenIn(placesOf('number'), text)).toEqual([]);
  });

  it('are whole, except the few fractions', async () => {
    const whole = placesOf('number').filter((place) => !isFraction(place));
    for (const text of ['1.5', '1e-7', '100.00001']) expect(await takenIn(whole, text)).toEqual([]);
  });

  it('come back as given at the limits of their ranges', async () => {
    const { tenantId } = samples.places;
    const limits = {
      namespaces: 1,
      topics: 0,
      consumers: -0,
      eventsPerSecond: 1,
      storageBytes: Number.MAX_SAFE_INTEGER,
    };
    const { body } = await app.client.patch<{ limits: object }>(`/tenants/${tenantId}`, { limits });
    expect(body.limits).toEqual({ ...limits, consumers: 0 });
    const none = { namespaces: null, topics: null, consumers: null, eventsPerSecond: null, storageBytes: null };
    expect((await app.client.patch<{ limits: object }>(`/tenants/${tenantId}`, { limits: none })).body.limits).toEqual(
      none,
    );
  });

  it.each([
    '{"position":-1}',
    '{"position":1.5}',
    '{"position":9007199254740993}',
    '{"position":1e400}',
    '{"position":"1"}',
  ])('are not a place in a topic: %s', async (place) => {
    expect(
      await takenIn(
        placesOf('any').filter(([, { pointer }]) => pointer.endsWith('startFrom')),
        place,
      ),
    ).toEqual([]);
    const path = `/tenants/${samples.places['tenantId']}/namespaces/shop/topics/orders/events`;
    expect((await app.client.get(`${path}?after=${encodeURIComponent(place)}`)).status).toBe(400);
  });

  it.each(['P-1D', 'P0D', 'P1.5D', 'P1e9D', 'P99999D', 'P9007199254740993D', 'PT1H', 'P1Y', '400', 'P400D ', 'p400d'])(
    'are not an age: %s',
    async (age) => {
      const ages = placesOf('text').filter(([, { pointer }]) => pointer === '/maxAge');
      expect(ages).toHaveLength(2);
      expect(await takenIn(ages, JSON.stringify(age))).toEqual([]);
    },
  );
});

const NO_TIMES = [
  '+275760-09-13T00:00:00.000Z',
  '275760-09-13T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:00+99:99',
  '2026-01-01T00:00:00',
  '2026-01-01',
  '2026-W01-1',
  '2026-001',
  '1767225600',
  '1e3',
  'now',
  'tomorrow',
  ' 2026-01-01T00:00:00Z',
  '２０２６-01-01T00:00:00Z',
];

describe('times', () => {
  it.each(NO_TIMES)('in bodies are refused if they are %j', async (time) => {
    const places = placesOf('time');
    expect(places.length).toBeGreaterThan(8);
    expect(await takenIn(places, JSON.stringify(time))).toEqual([]);
    expect(
      await takenIn(
        placesOf('any').filter(([, { pointer }]) => pointer.endsWith('startFrom')),
        JSON.stringify({ time }),
      ),
    ).toEqual([]);
  });

  it('in bodies are refused if they are numbers, empty, or lists', async () => {
    for (const text of ['1767225600000', '""', '[]', '{}', 'true'])
      expect(await takenIn(placesOf('time'), text)).toEqual([]);
  });

  it('are accepted with any offset and up to nine digits of a second, with leap days, up to the year 9999', async () => {
    const [publish] = placesOf('time').filter(([{ path }]) => path.endsWith('/events')) as [[BodyRoute, BodyPlace]];
    for (const time of ['2024-02-29T23:59:59.123456789+14:00', '9999-12-31T23:59:59Z', '0001-01-01t00:00:00z']) {
      const answer = await samples.send(publish[0], withValue(samples.bodies(publish[0])[0]!, '/time', time));
      expect([time, answer.status]).toEqual([time, 201]);
    }
  });
});

describe('in query strings', () => {
  const reading = (parameter: string): [Route, string][] =>
    routesOf(document)
      .filter(({ operation }) => operation.parameters?.some((one) => one.in === 'query' && one.name === parameter))
      .map((route) => [route, route.path.replace(/\{(\w+)\}/g, (_, name: string) => samples.places[name] ?? 'x')]);
  const notRefused = async (parameter: string, value: string): Promise<string[]> => {
    const taken: string[] = [];
    for (const [{ name }, path] of reading(parameter)) {
      const { status } = await samples.client.get(`${path}?${parameter}=${value}`, stranger());
      if (status !== 400) taken.push(`${name}: ${status}`);
    }
    return taken;
  };

  it.each([
    '-1',
    '0',
    '1001',
    '1000000000',
    '1e400',
    '1e2',
    'NaN',
    'Infinity',
    '10abc',
    '0x10',
    '%2B5',
    '%205',
    '5%20',
    '5.0',
    '1.5',
    '',
    '９',
    '9007199254740993',
    '99999999999999999999',
    '1&limit=2',
  ])('a limit of %j is refused by every list', async (limit) => {
    expect(reading('limit').length).toBeGreaterThan(12);
    expect(await notRefused('limit', limit)).toEqual([]);
  });

  it.each(NO_TIMES)('a time of %j is refused as a bound of every list', async (time) => {
    expect(reading('from').length).toBeGreaterThan(4);
    for (const parameter of ['from', 'to']) expect(await notRefused(parameter, encodeURIComponent(time))).toEqual([]);
  });
});

describe('in headers', () => {
  it.each(['-1', '1.5', '1e3', '9007199254740993', '99999999999999999999', '10abc', '0x1', '', 'NaN'])(
    '%j is not an expected version of a stream, and as an ETag matches nothing: nothing changes',
    async (version) => {
      const { tenantId } = samples.places;
      const body = { type: 't', data: 1, stream: 's' };
      const events = `/tenants/${tenantId}/namespaces/shop/topics/orders/events`;
      const before = await app.client.get(`/tenants/${tenantId}`);
      const published = await app.client.post(events, body, { 'expected-stream-version': version });
      const changed = await app.client.patch(`/tenants/${tenantId}`, { name: 'New' }, { 'if-match': `"${version}"` });
      expect([published.status, changed.status]).toEqual([400, 412]);
      expect((await app.client.get(`/tenants/${tenantId}`)).text).toBe(before.text);
    },
  );
});
