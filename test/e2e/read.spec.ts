import { sharedApp } from '../support/server/app.js';
import type { Problem } from '../support/api/client.js';
import { Workspace, type Page, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;

/** Positions 1 to 12: types a, b, c in turn; keys k0 and k1 in turn; every third event is in the stream `s`. */
beforeAll(async () => {
  shop = await Workspace.create(app.client, ['orders', 'empty']);
  await shop.publish(
    Array.from({ length: 12 }, (_, i) => ({
      id: `e${i + 1}`,
      type: 'abc'[i % 3]!,
      key: `k${i % 2}`,
      ...(i % 3 === 0 ? { stream: 's' } : {}),
      time: new Date(Date.UTC(2026, 0, 1, i)).toISOString(),
      data: { n: i + 1, price: (i + 1) / 2 },
    })),
  );
});

const positions = async (query: string): Promise<number[]> =>
  (await shop.read(query)).items.map(({ position }) => position);
const cursorOf = async (query: string): Promise<string> => (await shop.read(query)).nextCursor!;
const refused = (query: string) => app.client.get<Problem>(`${shop.events()}${query}`);

/** All pages, one after another. */
async function pages(query: string): Promise<number[][]> {
  const found: number[][] = [];
  for (let cursor = ''; ;) {
    const { items, nextCursor } = await shop.read(`?${query}${cursor}`);
    found.push(items.map(({ position }) => position));
    if (nextCursor === null) return found;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
}

describe('reading a topic', () => {
  it('returns events in the order of positions', async () => {
    expect(await positions('')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await positions('?order=asc&limit=3')).toEqual([1, 2, 3]);
  });

  it('returns events backward from the end', async () => {
    expect(await positions('?order=desc&limit=3')).toEqual([12, 11, 10]);
  });

  it('pages to the end, forward and backward, each event once', async () => {
    expect(await pages('limit=5')).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
      [11, 12],
    ]);
    expect(await pages('limit=5&order=desc')).toEqual([
      [12, 11, 10, 9, 8],
      [7, 6, 5, 4, 3],
      [2, 1],
    ]);
  });

  it('pages through the matches of a filter', async () => {
    expect((await pages('limit=1&type=b')).flat()).toEqual([2, 5, 8, 11]);
    expect((await pages('limit=2&order=desc&key=k1')).flat()).toEqual([12, 10, 8, 6, 4, 2]);
  });

  it('returns an empty list for an empty topic', async () => {
    expect(await shop.read('', 'empty')).toEqual({ items: [], nextCursor: null });
  });

  it('has no next page if the limit is exactly the number of events', async () => {
    const all = (await pages('limit=12')).flat();
    expect(all).toHaveLength(12);
  });
});

describe('places', () => {
  it.each([
    ['after a position', '?after=10', [11, 12]],
    ['after an event', '?after=e10', [11, 12]],
    ['before a position', '?before=3', [1, 2]],
    ['before an event', '?before=e3', [1, 2]],
    ['between both', '?after=e3&before=6', [4, 5]],
    ['backward before', '?before=6&order=desc&limit=2', [5, 4]],
    ['backward after', '?after=10&order=desc', [12, 11]],
    ['after the last', '?after=12', []],
  ])('%s', async (_, query, expected) => {
    expect(await positions(query)).toEqual(expected);
  });

  it.each([
    ['beginning', [1, 2]],
    ['latest', []],
    ['{"position":3}', [4, 5]],
    ['{"eventId":"e3"}', [4, 5]],
    ['{"time":"2000-01-01T00:00:00Z"}', [1, 2]],
    ['{"time":"2100-01-01T00:00:00Z"}', []],
  ])('are accepted in each form of the contract: %s', async (place, expected) => {
    expect(await positions(`?limit=2&after=${encodeURIComponent(place)}`)).toEqual(expected);
  });

  it('by time need no event there: earlier ones are read', async () => {
    const before = encodeURIComponent('{"time":"2100-01-01T00:00:00Z"}');
    expect(await positions(`?before=${before}&order=desc&limit=2`)).toEqual([12, 11]);
  });

  it('that do not exist are named in the error', async () => {
    const { body } = await refused('?after=no-such-event');
    expect(body).toMatchObject({
      status: 404,
      code: 'place-not-found',
      detail: expect.stringContaining('no-such-event'),
    });
  });
});

describe('filters', () => {
  it.each([
    ['one type', '?type=a', [1, 4, 7, 10]],
    ['several types', '?type=a,c', [1, 3, 4, 6, 7, 9, 10, 12]],
    ['a key', '?key=k0', [1, 3, 5, 7, 9, 11]],
    ['a stream', '?stream=s', [1, 4, 7, 10]],
    ['a type without events', '?type=z', []],
    ['all together', '?type=a&key=k0&stream=s', [1, 7]],
    ['an expression over data', `?filter=${encodeURIComponent('data.n > 10')}`, [11, 12]],
    ['an expression over type and key', `?filter=${encodeURIComponent('type == "b" && key == "k1"')}`, [2, 8]],
    ['an expression over decimals', `?filter=${encodeURIComponent('data.price >= 5.5')}`, [11, 12]],
    ['an expression over a missing field', `?filter=${encodeURIComponent('has(data.none)')}`, []],
    ['an expression, backward', `?order=desc&filter=${encodeURIComponent('data.n < 3')}`, [2, 1]],
  ])('%s', async (_, query, expected) => {
    expect(await positions(query)).toEqual(expected);
  });

  it('from and to bound the time below and above', async () => {
    const before = '2020-01-01T00:00:00Z';
    const after = '2100-01-01T00:00:00Z';
    expect(await positions(`?from=${before}&to=${after}`)).toHaveLength(12);
    expect(await positions(`?to=${before}`)).toEqual([]);
    expect(await positions(`?from=${after}`)).toEqual([]);
  });
});

describe('other formats and routes', () => {
  it('x-ndjson streams the whole topic, one event on each line, as in the list', async () => {
    const answer = await app.client.get(shop.events(), { accept: 'application/x-ndjson' });
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as ReadEvent)).toEqual((await shop.read('')).items);
  });

  it('x-ndjson streams more than one page', async () => {
    await shop.createTopic('long');
    for (let i = 0; i < 3; i++) {
      await shop.publish(
        Array.from({ length: 1_000 }, (_, n) => ({ type: 't', data: n })),
        'long',
      );
    }
    const { text } = await app.client.get(shop.events('long'), { accept: 'application/x-ndjson' });
    const seen = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as ReadEvent).position);
    expect(seen).toEqual(Array.from({ length: 3_000 }, (_, i) => i + 1));
  });

  it.each([
    ['filters', '?type=a', [1, 4, 7, 10]],
    ['order', '?order=desc&after=9', [12, 11, 10]],
    ['a limit', '?limit=2', [1, 2]],
    ['a limit with a filter', '?type=a&limit=3', [1, 4, 7]],
  ])('x-ndjson respects %s', async (_, query, expected) => {
    const { text } = await app.client.get(`${shop.events()}${query}`, { accept: 'application/x-ndjson' });
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as ReadEvent).position),
    ).toEqual(expected);
  });

  it('one event by its id, 404 for another', async () => {
    const { body } = await app.client.get<ReadEvent>(`${shop.events()}/e5`);
    expect(body).toEqual((await shop.read('')).items[4]);
    const missing = await app.client.get(`${shop.events()}/none`);
    expect([missing.status, missing.body.code]).toEqual([404, 'event-not-found']);
  });

  it('an event by an id with characters that a path must escape', async () => {
    await shop.createTopic('odd');
    const id = 'a b/ü?#%';
    const { status } = await shop.tryPublish({ id, type: 't', data: 1 }, {}, 'odd');
    if (status === 400) return;
    const answer = await app.client.get<ReadEvent>(`${shop.events('odd')}/${encodeURIComponent(id)}`);
    expect([answer.status, answer.body.id]).toEqual([200, id]);
  });

  it('one stream with its version, 404 for another', async () => {
    const { body } = await app.client.get<Page<ReadEvent> & { streamVersion: number }>(
      `${shop.base}/topics/orders/streams/s`,
    );
    expect(body.streamVersion).toBe(4);
    expect(body.items.map(({ position, streamVersion }) => [position, streamVersion])).toEqual([
      [1, 1],
      [4, 2],
      [7, 3],
      [10, 4],
    ]);
    expect((await app.client.get(`${shop.base}/topics/orders/streams/none`)).status).toBe(404);
  });

  it('a stream in pages', async () => {
    const path = `${shop.base}/topics/orders/streams/s?limit=3`;
    const first = (await app.client.get<Page<ReadEvent>>(path)).body;
    const second = (await app.client.get<Page<ReadEvent>>(`${path}&cursor=${encodeURIComponent(first.nextCursor!)}`))
      .body;
    expect([...first.items, ...second.items].map(({ position }) => position)).toEqual([1, 4, 7, 10]);
  });
});

describe('cursors', () => {
  it('are refused if they are garbled, changed or made for another list', async () => {
    const own = await cursorOf('?limit=5');
    const changed = (own[0] === 'A' ? 'B' : 'A') + own.slice(1);
    const topics = await app.client.get<Page<unknown>>('/tenants?limit=1');
    const other = await Workspace.create(app.client);
    await other.publish([
      { type: 'a', data: 1 },
      { type: 'a', data: 2 },
    ]);
    const foreign = (await other.read('?limit=1')).nextCursor!;
    for (const cursor of [
      'abc',
      '',
      changed,
      own.slice(0, -2),
      topics.body.nextCursor!,
      foreign,
      '../../etc',
      own.repeat(200),
    ]) {
      const { status, body } = await refused(`?limit=5&cursor=${encodeURIComponent(cursor)}`);
      expect([cursor, status]).toEqual([cursor, 400]);
      expect(JSON.stringify(body)).toContain('cursor');
    }
  });

  it('are refused with another filter or order than their own', async () => {
    const cursor = encodeURIComponent(await cursorOf('?limit=1&type=a'));
    for (const query of [
      `?limit=1&cursor=${cursor}`,
      `?limit=1&type=b&cursor=${cursor}`,
      `?limit=1&type=a&order=desc&cursor=${cursor}`,
    ]) {
      expect((await refused(query)).status).toBe(400);
    }
  });

  it('work with another limit', async () => {
    const cursor = encodeURIComponent(await cursorOf('?limit=2'));
    expect(await positions(`?limit=4&cursor=${cursor}`)).toEqual([3, 4, 5, 6]);
  });
});

describe('bad parameters are refused by name', () => {
  it.each([
    ['limit', '0'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', '1001'],
    ['limit', '1e2'],
    ['limit', 'ten'],
    ['limit', '99999999999999999999'],
    ['order', 'up'],
    ['from', 'yesterday'],
    ['to', '2026-13-45'],
    ['filter', 'data.n >'],
    ['filter', 'unknown_name == 1'],
    ['filter', '1 + 1'],
    ['nonsense', '1'],
    ['__proto__', '1'],
    ['constructor', '1'],
  ])('%s=%s', async (name, value) => {
    const { status, body, headers } = await refused(`?${name}=${encodeURIComponent(value)}`);
    expect([status, headers.get('content-type')]).toEqual([400, expect.stringContaining('application/problem+json')]);
    expect(JSON.stringify(body)).toContain(name);
  });

  it('a filter that is too long', async () => {
    const { status, body } = await refused(`?filter=${encodeURIComponent(`"${'x'.repeat(8_000)}" == type`)}`);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('filter');
  });

  it('a repeated parameter', async () => {
    expect((await refused('?limit=1&limit=2')).status).toBe(400);
  });
});
