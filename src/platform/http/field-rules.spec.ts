import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { PlainText, Prose, Reference, Rfc3339 } from './field-rules.js';

class Fields {
  @PlainText(20)
  readonly name!: string;
  @Prose(20)
  readonly description!: string;
  @Reference(20)
  readonly id!: string;
  @Reference(20, { each: true })
  readonly ids!: string[];
  @Rfc3339()
  readonly time!: string;
}

const RIGHT = { name: 'Ann', description: '', id: 'usr_1', ids: ['a'], time: '2026-01-01T00:00:00Z' };

/** Names of the fields that are refused. */
const refused = async (change: object): Promise<string[]> =>
  (await validate(plainToInstance(Fields, { ...RIGHT, ...change }))).map(({ property }) => property);

describe('texts', () => {
  it.each([
    ['Arabic and Hebrew', 'متجر חנות'],
    ['a joiner, which Persian needs', 'می\u200cخواهم'],
    ['an emoji that is joined', '👩\u200d💻'],
    ['a combined letter', 'e\u0301'],
    ['characters with a meaning in SQL and HTML', `'; -- <b>%_`],
  ])('may have %s', async (_, text) => {
    expect(await refused({ name: text, description: text })).toEqual([]);
  });

  it.each([
    ['NUL', 'a\0'],
    ['an escape', 'a\u001b[31m'],
    ['a control of C1', 'a\u0085'],
    ['a lone surrogate', 'a\ud83d'],
    ['a line separator', 'a\u2028b'],
    ['an override of the direction', 'a\u202eb'],
    ['an isolate', 'a\u2066b'],
    ['a space without width', 'a\u200bb'],
    ['a byte order mark', 'a\ufeff'],
  ])('may not have %s', async (_, text) => {
    expect(await refused({ name: text, description: text, id: text, ids: ['a', text] })).toEqual([
      'name',
      'description',
      'id',
      'ids',
    ]);
  });

  it('have several lines only as descriptions', async () => {
    expect(await refused({ name: 'a\nb', description: 'a\r\n\tb' })).toEqual(['name']);
  });

  it('have as many characters as code points, whatever each takes', async () => {
    const [fits, tooLong] = ['😀'.repeat(20), '❤\ufe0f'.repeat(11)];
    expect(await refused({ name: fits, description: fits })).toEqual([]);
    expect(await refused({ name: tooLong, description: tooLong })).toEqual(['name', 'description']);
  });

  it('must not exceed their length, be empty as names or ids, or be other than texts', async () => {
    const long = 'x'.repeat(21);
    expect(await refused({ name: long, description: long, id: long, ids: [long] })).toHaveLength(4);
    expect(await refused({ name: '', id: '', ids: [''] })).toEqual(['name', 'id', 'ids']);
    expect(await refused({ name: 1, description: {}, id: [], ids: [null] })).toHaveLength(4);
  });
});

it.each(['2026-01-01', '2026-01-01T00:00:00', '2026-02-30T00:00:00Z', '+275760-09-13T00:00:00Z', 'now', 0, null])(
  '%j is not a time',
  async (time) => expect(await refused({ time })).toEqual(['time']),
);
