import { CloudEvent, HTTP, type Message } from 'cloudevents';
import { sharedApp } from '../support/server/app.js';
import { sendRaw } from '../support/faults/raw-http.js';
import { Workspace, type ReadEvent } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
});

const event = new CloudEvent({
  id: 'ce-1',
  source: '/shop/till/7',
  type: 'com.example.order.created',
  subject: 'order 4711',
  time: '2026-01-02T03:04:05.678Z',
  datacontenttype: 'application/json',
  data: { total: 1 },
});
const send = ({ headers, body }: Message) => shop.tryPublish(body as string, headers as Record<string, string>);
const stored = async (): Promise<ReadEvent> => (await app.client.get<ReadEvent>(`${shop.events()}/ce-1`)).body;
const structured = (change: object) =>
  shop.tryPublish(JSON.stringify({ ...(JSON.parse(HTTP.structured(event).body as string) as object), ...change }), {
    'content-type': 'application/cloudevents+json',
  });

describe.each([
  ['structured', HTTP.structured(event)],
  ['binary', HTTP.binary(event)],
  [
    'batch',
    {
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: `[${HTTP.structured(event).body as string}]`,
    },
  ],
])('a CloudEvent in %s mode', (_, message) => {
  it('is an event like any other, with its id, type, time and data', async () => {
    const { status, body } = await send(message);
    expect([status, body]).toEqual([201, expect.objectContaining({ firstPosition: 1, lastPosition: 1 })]);
    expect(await stored()).toMatchObject({
      id: 'ce-1',
      type: 'com.example.order.created',
      time: '2026-01-02T03:04:05.678Z',
      data: { total: 1 },
    });
  });

  it('loses none of its attributes', async () => {
    await send(message);
    const told = JSON.stringify(await stored());
    for (const attribute of ['/shop/till/7', 'order 4711']) expect(told).toContain(attribute);
  });

  it('is a duplicate when it is sent again', async () => {
    await send(message);
    expect((await send(message)).body.events).toMatchObject([{ id: 'ce-1', position: 1, duplicate: true }]);
  });
});

describe('the modes', () => {
  it('are equivalent: one event sent in all three is stored once', async () => {
    await send(HTTP.structured(event));
    const binary = await send(HTTP.binary(event));
    expect([binary.status, binary.body.events?.[0]?.duplicate]).toEqual([201, true]);
    expect(await shop.readAll()).toHaveLength(1);
  });

  it('keep data byte for byte', async () => {
    const data = '{ "n": 123456789012345678, "a": 1.0, "a": 2, "__proto__": "\\u0000" }';
    const attributes = '"specversion":"1.0","id":"ID","source":"/s","type":"t"';
    const sent: Record<string, Message> = {
      structured: {
        headers: { 'content-type': 'application/cloudevents+json' },
        body: `{${attributes},"data":${data}}`,
      },
      batch: {
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: `[{"data":${data},${attributes}}]`,
      },
      binary: {
        headers: {
          'content-type': 'application/json',
          'ce-specversion': '1.0',
          'ce-id': 'ID',
          'ce-source': '/s',
          'ce-type': 't',
        },
        body: data,
      },
    };
    for (const [mode, { headers, body }] of Object.entries(sent)) {
      const named = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, (value as string).replace('ID', mode)]),
      );
      expect((await send({ headers: named, body: (body as string).replace('"ID"', `"${mode}"`) })).status).toBe(201);
      expect((await app.client.get(`${shop.events()}/${mode}`)).text).toContain(`"data":${data}`);
    }
  });

  it('store a batch all or nothing', async () => {
    const good = HTTP.structured(event).body as string;
    const bad = good.replace('"type":', '"kind":');
    const { status } = await shop.tryPublish(`[${good},${bad}]`, {
      'content-type': 'application/cloudevents-batch+json',
    });
    expect(status).toBe(400);
    expect(await shop.readAll()).toEqual([]);
  });

  it('decode escapes in headers', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'ce-1',
      'ce-source': '/s',
      'ce-type': 't',
      'ce-subject': 'Euro%20%E2%82%AC',
    };
    expect((await shop.tryPublish('1', headers)).status).toBe(201);
    expect(JSON.stringify(await stored())).toContain('Euro €');
  });
});

describe('the binary mode, byte by byte on the wire', () => {
  const post = async (subject: string, data: string): Promise<number> => {
    const head = [
      `POST ${shop.events()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: ${app.apiKey}`,
      `ce-specversion: 1.0\r\nce-id: ce-1\r\nce-source: /s\r\nce-type: t\r\nContent-Length: ${data.length}`,
    ].join('\r\n');
    const bytes = [
      Buffer.from(`${head}\r\nce-subject: `),
      Buffer.from(subject, 'latin1'),
      Buffer.from(`\r\n\r\n${data}`),
    ];
    return (await sendRaw(app.url, Buffer.concat(bytes))).status;
  };

  it('is stored with data without a content type, and with UTF-8 as it is', async () => {
    expect(await post(Buffer.from('"Zürich \\" 😀"').toString('latin1'), 'hello')).toBe(201);
    expect(await stored()).toMatchObject({
      data: 'hello',
      metadata: { cloudEvents: { subject: 'Zürich " 😀', dataEncoding: 'text' } },
    });
  });

  it('is refused if its bytes are not UTF-8', async () => {
    expect(await post('Z\u00fcrich', 'hello')).toBe(400);
    expect(await shop.readAll()).toEqual([]);
  });
});

describe('an invalid CloudEvent is refused and not stored', () => {
  it.each([
    ['another version', { specversion: '0.3' }],
    ['no version', { specversion: undefined }],
    ['no id', { id: undefined }],
    ['an empty id', { id: '' }],
    ['no source', { source: undefined }],
    ['no type', { type: undefined }],
    ['an invalid time', { time: 'yesterday' }],
    ['a type that is a number', { type: 7 }],
    ['an attribute with a bad name', { 'bad-name': 'x' }],
    ['data twice', { data_base64: 'AAAA' }],
  ])('%s', async (_, change) => {
    const { status, headers } = await structured(change);
    expect([status, headers.get('content-type')]).toEqual([400, expect.stringContaining('application/problem+json')]);
    expect(await shop.readAll()).toEqual([]);
  });

  it('a batch that is not an array, and a single event that is one', async () => {
    const one = HTTP.structured(event).body as string;
    expect((await shop.tryPublish(one, { 'content-type': 'application/cloudevents-batch+json' })).status).toBe(400);
    expect((await shop.tryPublish(`[${one}]`, { 'content-type': 'application/cloudevents+json' })).status).toBe(400);
    expect(await shop.readAll()).toEqual([]);
  });

  it('a broken escape in a header', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'x',
      'ce-source': '/s',
      'ce-type': 't',
      'ce-subject': '%E2%82',
    };
    expect((await shop.tryPublish('1', headers)).status).toBe(400);
    expect(await shop.readAll()).toEqual([]);
  });
});
