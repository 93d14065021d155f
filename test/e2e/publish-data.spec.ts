import { sharedApp } from '../support/server/app.js';
import { Workspace } from '../support/api/workspace.js';

const app = await sharedApp();
let shop: Workspace;

beforeEach(async () => {
  shop = await Workspace.create(app.client);
});

const order = (fields: object = {}) => ({ type: 'order.created', data: { total: 1 }, ...fields });

/** The bytes of `data` in a response: as many as were sent, after `"data":`; the value must end there. */
function dataIn(answer: string, sent: string): string {
  const from = answer.indexOf('"data":') + '"data":'.length;
  expect(answer.slice(from + sent.length).trimStart()).toMatch(/^[,}]/);
  return answer.slice(from, from + sent.length);
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('data', () => {
  it.each([
    ['an 18-digit integer', '123456789012345678'],
    ['a 20-digit integer', '12345678901234567890'],
    ['a whole number', '1'],
    ['a decimal zero', '1.0'],
    ['an exponent beyond a double', '1e400'],
    ['a negative zero', '-0'],
    ['many digits', '0.1234567890123456789012345678901234567890'],
    ['the order of keys, also of numbers', '{"b":1,"a":2,"10":3,"9":4}'],
    ['duplicate keys', '{"a":1,"a":2}'],
    ['__proto__', '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}'],
    ['NUL as an escape', '"a\\u0000b"'],
    ['NUL in a key', '{"\\u0000":1}'],
    ['lone surrogates', '"\\ud800 \\udfff"'],
    ['escapes as they were written', '"\\u0041\\/\\n\\u00e4"'],
    ['characters beyond the BMP', '"😀 ä ﷽"'],
    ['white space', '{ "a" :\n\t[ 1 ,  2 ] }'],
    ['null', 'null'],
    ['a string', '"text"'],
    ['false', 'false'],
    ['an empty string', '""'],
    ['depth 128', nested(128)],
  ])('comes back byte for byte: %s', async (_, sent) => {
    await shop.publish(`{"id":"exact","type":"t","data":${sent}}`);
    expect(dataIn((await app.client.get(shop.events())).text, sent)).toBe(sent);
    const line = sent.replaceAll('\n', ' ');
    expect(dataIn((await app.client.get(shop.events(), { accept: 'application/x-ndjson' })).text, line)).toBe(line);
    expect(dataIn((await app.client.get(`${shop.events()}/exact`)).text, sent)).toBe(sent);
    const metadata = `{"kept":${nested(3)},"exact":${sent.startsWith('[[[') ? '[]' : sent}}`;
    await shop.publish(`{"id":"beside","type":"t","data":1,"metadata":${metadata}}`);
    expect((await app.client.get(`${shop.events()}/beside`)).text).toContain(`"metadata":${metadata}`);
    const batch = `[{"id":"in-a-batch","type":"t","data":${sent}}]`;
    await shop.publish(batch);
    expect(dataIn((await app.client.get(`${shop.events()}/in-a-batch`)).text, sent)).toBe(sent);
  });

  it.each([
    ['depth 129', nested(129)],
    ['a hundred thousand brackets', nested(100_000)],
    ['a number with a leading zero', '01'],
    ['a number with a plus sign', '+1'],
    ['a number without digits after its point', '1.'],
    ['an exponent without digits', '1e'],
    ['a hexadecimal number', '0x10'],
    ['NaN', 'NaN'],
    ['an endless number', 'Infinity'],
    ['a trailing comma', '[1,]'],
    ['a raw control character', '"\u0001"'],
    ['an unknown escape', '"\\x41"'],
    ['nothing', ''],
  ])('is refused: %s', async (_, sent) => {
    expect((await shop.tryPublish(`{"type":"t","data":${sent}}`)).status).toBe(400);
    expect(await shop.readAll()).toEqual([]);
  });

  it('conflicts with other digits under a known id: 1 and 1.0, 1e400 and 2e400, two lone surrogates', async () => {
    for (const [id, first, other] of [
      ['decimals', '1', '1.0'],
      ['large', '1e400', '2e400'],
      ['digits', '12345678901234567890', '12345678901234567891'],
      ['zeroes', '0', '-0'],
      ['surrogates', '"\\ud800"', '"\\ud801"'],
      ['spelling', '"\\u0041"', '"A"'],
    ]) {
      const publish = (data: string) => shop.tryPublish(`{"id":"${id}","type":"t","data":${data}}`);
      expect([id, (await publish(first!)).status]).toEqual([id, 201]);
      expect([id, (await publish(other!)).status]).toEqual([id, 409]);
      const again = await publish(first!);
      expect([id, again.status, again.body.events[0]!.duplicate]).toEqual([id, 201, true]);
    }
  });

  it('is required, and may be null', async () => {
    expect((await shop.tryPublish({ type: 't' })).status).toBe(400);
    expect((await shop.tryPublish({ type: 't', data: null })).status).toBe(201);
  });

  it('is 413 if it is too large', async () => {
    const { status, body } = await shop.tryPublish(order({ data: 'x'.repeat(11 * 1_048_576) }));
    expect(status).toBe(413);
    expect(body.code).toMatch(/too-large$/);
    expect(await shop.readAll()).toEqual([]);
  });
});
