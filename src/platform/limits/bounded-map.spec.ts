import { boundedMap } from './bounded-map.js';

describe('a bounded map', () => {
  it('drops what was set longest ago, whether it was peeked at or not', () => {
    const map = boundedMap<number>(2);
    map.set('a', 1).set('b', 2);
    expect(map.peek('a')).toBe(1);
    map.set('c', 3);
    expect([map.size, map.peek('a'), map.peek('b'), map.peek('c')]).toEqual([2, undefined, 2, 3]);
    map.set('b', 4).set('d', 5);
    expect([...map.entries()]).toEqual([
      ['d', 5],
      ['b', 4],
    ]);
  });

  it('keeps what is read again and again with `get`', () => {
    const map = boundedMap<number>(2);
    map.set('a', 1).set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect([map.has('a'), map.has('b')]).toEqual([true, false]);
  });
});
