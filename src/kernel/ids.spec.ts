import { newId, newTimelessId } from './ids.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const IDS = 32_768;
const SHAPE = /^usr_[0-9a-hjkmnp-tv-z]{26}$/;

/**
 * How far the characters at each place are from being equally frequent: chi-squared of 31 degrees of freedom, which is 31 on average, and above
 * 100 once in a hundred million times.
 */
function unevenness(ids: readonly string[]): number[] {
  const expected = ids.length / ALPHABET.length;
  return Array.from({ length: 26 }, (_, place) => {
    const counts = new Map([...ALPHABET].map((letter) => [letter, 0]));
    for (const id of ids) counts.set(id[4 + place]!, counts.get(id[4 + place]!)! + 1);
    return [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  });
}

const many = (make: () => string): string[] => Array.from({ length: IDS }, make);

describe('an id without time', () => {
  it('has the length and the letters of the others, and is never generated twice', () => {
    const ids = many(() => newTimelessId('usr'));
    expect(ids.filter((id) => !SHAPE.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(IDS);
    expect(newId('usr')).toMatch(SHAPE);
  });

  it('is equally likely to have any letter at any place, also when generated at one moment: it shares no bit with the clock', () => {
    expect(unevenness(many(() => newTimelessId('usr'))).filter((far) => far > 100)).toEqual([]);
  });

  it('does not show which of two was generated first', () => {
    const ids = many(() => newTimelessId('usr'));
    const rises = ids.filter((id, i) => i > 0 && id > ids[i - 1]!).length;
    // 16,384 of 32,767 with a deviation of 52 (steps share an id with the next one).
    expect(Math.abs(rises - IDS / 2)).toBeLessThan(8 * 52);
  });
});

describe('an id with time', () => {
  it('would fail both: it increases with each one, and begins with the time', () => {
    const ids = many(() => newId('usr'));
    expect(ids.filter((id, i) => i > 0 && id <= ids[i - 1]!)).toEqual([]);
    expect(unevenness(ids).findIndex((far) => far > 100)).toBe(0);
  });
});
