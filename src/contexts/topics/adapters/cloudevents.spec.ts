import type { DomainError } from '../../../kernel/domain-error.js';
import type { NewEvent } from '../../../platform/event-log/index.js';
import { parseCloudEvents } from './cloudevents.js';

const LIMITS = { eventBytesMax: 1_000_000, batchEventsMax: 10, batchBytesMax: 1_000_000 };
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const CONTEXT = { correlationId: 'c', traceparent: PARENT, tracestate: 'own=1' };
const REQUIRED = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' };

/** As they come from the wire: a character is a byte. */
const onWire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function binary(headers: Record<string, string | string[]>, data: string | Buffer = '1'): NewEvent {
  const all = Object.entries({ ...REQUIRED, ...headers }).map(([name, value]) => [name, [value].flat()]);
  return parseCloudEvents(
    'binary',
    Buffer.from(data),
    { headersDistinct: Object.fromEntries(all) as NodeJS.Dict<string[]> },
    LIMITS,
    CONTEXT,
  )[0]!;
}

function structured(members: string): NewEvent {
  const body = Buffer.from(`{"specversion":"1.0","id":"1","source":"/s","type":"t",${members}}`);
  return parseCloudEvents('structured', body, { headersDistinct: {} }, LIMITS, CONTEXT)[0]!;
}

const attributesOf = ({ metadata }: NewEvent) =>
  (JSON.parse(metadata!) as { cloudEvents: Record<string, unknown> }).cloudEvents;

function refusalOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as DomainError).extensions['errors'];
  }
  throw new Error('It was taken.');
}

describe('an attribute in a header', () => {
  it.each([
    ['a%20b', 'a b'],
    ['"a \\"b"', 'a "b'],
    ['"a\\\\b"', 'a\\b'],
    ['"50%25 off"', '50% off'],
    ['%2525', '%25'],
    ['5" pipe', '5" pipe'],
    ['""', ''],
    ['back\\slash', 'back\\slash'],
    ['Euro%20%e2%82%ac%20%F0%9F%98%80', 'Euro € 😀'],
    [onWire('Zürich 😀'), 'Zürich 😀'],
    [onWire('"Zürich"'), 'Zürich'],
  ])('is unquoted, then percent-decoded once: %s', (sent, kept) => {
    expect(attributesOf(binary({ 'ce-subject': sent }))['subject']).toBe(kept);
  });

  it('is decoded so whichever attribute it is', () => {
    const headers = {
      'ce-specversion': '"1.0"',
      'ce-id': '"order%2D1"',
      'ce-type': '"a\\.b"',
      'ce-partitionkey': '"k 1"',
    };
    expect(binary(headers)).toMatchObject({ id: 'order-1', type: 'a.b', key: 'k 1' });
  });

  it.each<[string, string | string[], string]>([
    ['a broken escape', '100%', 'is not percent-encoded UTF-8'],
    ['an overlong escape', '%C0%A0', 'is not percent-encoded UTF-8'],
    ['latin1', 'Z\u00fcrich', 'has bytes that are not UTF-8'],
    ['an open quote', '"a', 'begins with a quote and is no quoted string'],
    ['two quoted strings', '"a" "b"', 'begins with a quote and is no quoted string'],
    ['an escaped control character', '%00', 'must hold no control characters'],
    ['the same header twice', ['a', 'b'], 'is given twice'],
  ])('is refused by name: %s', (_, sent, detail) => {
    expect(refusalOf(() => binary({ 'ce-subject': sent }))).toEqual([{ pointer: 'ce-subject', detail }]);
  });

  it('is refused where it belongs elsewhere in the message', () => {
    expect(refusalOf(() => binary({ 'ce-datacontenttype': 'text/plain', 'ce-data': '1' }))).toEqual([
      { pointer: 'ce-datacontenttype', detail: 'must be sent as Content-Type' },
      { pointer: 'ce-data', detail: 'must be sent as the body' },
    ]);
  });
});

describe('the trace', () => {
  const other = PARENT.replace('0af', '1af');

  it.each<[string, Record<string, string>, object]>([
    ['is that of the request', {}, { traceparent: PARENT, tracestate: 'own=1' }],
    [
      'is that of the event',
      { 'ce-traceparent': other, 'ce-tracestate': 'a=1, b=2' },
      { traceparent: other, tracestate: 'a=1,b=2' },
    ],
    ['has no state of another trace', { 'ce-traceparent': other }, { traceparent: other, tracestate: null }],
    ['has no state without a parent', { 'ce-tracestate': 'a=1' }, { traceparent: PARENT, tracestate: 'own=1' }],
  ])('%s', (_, headers, trace) => {
    expect(binary(headers)).toMatchObject(trace);
  });

  it('that is not valid is an attribute like any other', () => {
    const headers = { 'ce-traceparent': 'none', 'ce-tracestate': 'none' };
    expect(attributesOf(binary(headers))).toMatchObject({ traceparent: 'none', tracestate: 'none' });
  });
});

describe('data without a content type', () => {
  it.each([
    ['hello', '"hello"', 'text'],
    ['"hello"', '"hello"', undefined],
    ['{ "n": 1.0 }', '{ "n": 1.0 }', undefined],
    ['{"n":1', '"{\\"n\\":1"', 'text'],
    [Buffer.from([0xff, 0x00]), '"/wA="', 'base64'],
    ['', 'null', undefined],
  ])('is kept so that the bytes can be restored from it: %s', (sent, data, dataEncoding) => {
    const event = binary({}, sent);
    expect([event.data, attributesOf(event)]).toEqual([
      data,
      { source: '/s', ...(dataEncoding === undefined ? {} : { dataEncoding }) },
    ]);
  });

  it('is no excuse for broken JSON that says it is JSON', () => {
    expect(() => binary({ 'content-type': 'application/json' }, 'hello')).toThrow(/not JSON/);
  });
});

describe('a number in an attribute', () => {
  it.each(['1', '-0', '1.0', '12345678901234567890', '1e400', '0.1e-7'])('keeps its digits: %s', (digits) => {
    expect(structured(`"sequence":${digits}`).metadata).toBe(`{"cloudEvents":{"sequence":${digits},"source":"/s"}}`);
  });

  it.each(['id', 'type', 'partitionkey', 'source', 'time'])('is refused where text belongs: %s', (name) => {
    const body = `{"specversion":"1.0","id":"1","source":"/s","type":"t","${name}":5}`.replace(
      /"(\w+)":"[^"]*",(?=.*"\1":)/,
      '',
    );
    const parse = () => parseCloudEvents('structured', Buffer.from(body), { headersDistinct: {} }, LIMITS, CONTEXT);
    expect(refusalOf(parse)).toEqual([expect.objectContaining({ pointer: `/${name}` })]);
  });
});

it.each(['"a\\u0000"', '"\\ud800"', '"\\uffff"', '[]', '{}'])(
  'an attribute that CloudEvents does not know is refused: %s',
  (value) => {
    expect(refusalOf(() => structured(`"subject":${value}`))).toEqual([
      expect.objectContaining({ pointer: '/subject' }),
    ]);
  },
);
