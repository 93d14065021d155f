import { follow, GENESIS, nextPlace, type ChainPlace, type ChainRecord } from './chain.js';

function chain(...texts: string[]): ChainRecord[] {
  let place: ChainPlace = GENESIS;
  return texts.map((text) => {
    place = nextPlace(place, text);
    return { ...place, text, genuine: true };
  });
}

describe('a chain', () => {
  const records = chain('a', 'b', 'c', 'd');
  const swapped = (i: number, fields: Partial<ChainRecord>): ChainRecord[] =>
    records.map((record, at) => (at === i ? { ...record, ...fields } : record));

  it('numbers its records densely from 1 and hashes each with all before it', () => {
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(new Set(records.map(({ hash }) => hash)).size).toBe(4);
    expect(chain('a', 'b')[1]).toEqual(records[1]);
    expect(chain('b', 'a')[1]!.hash).not.toBe(records[1]!.hash);
  });

  it('is followed to its end, from any place', () => {
    const end = { seq: 4, hash: records[3]!.hash };
    expect(follow(GENESIS, records)).toEqual(end);
    expect(follow(records[1]!, records.slice(2))).toEqual(end);
    expect(follow(records[3]!, [])).toMatchObject(end);
  });

  it.each([
    ['is edited', swapped(1, { text: 'x' }), { fault: 'record-changed', seq: 2 }],
    ['is edited and hashed again', swapped(1, nextPlace(records[0]!, 'x')), { fault: 'record-changed', seq: 2 }],
    [
      'was not written by us, though its hash is right',
      swapped(2, { genuine: false }),
      { fault: 'record-changed', seq: 3 },
    ],
    ['is gone', records.toSpliced(2, 1), { fault: 'record-missing', seq: 3 }],
    ['is there twice', records.toSpliced(1, 0, records[1]!), { fault: 'record-missing', seq: 3 }],
    [
      'has changed places with another',
      swapped(1, { text: 'c' }).with(2, { ...records[2]!, text: 'b' }),
      { fault: 'record-changed', seq: 2 },
    ],
  ])('is broken where a record %s', (_, found, expected) => {
    expect(follow(GENESIS, found)).toEqual(expected);
  });
});
