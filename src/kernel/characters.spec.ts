import { charactersOf, exceedsCharacters } from './characters.js';

describe('a text', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['😀😀', 2],
    ['❤\ufe0f', 2],
    ['e\u0301', 2],
    ['👩\u200d💻', 3],
    ['\ud83d', 1],
  ])('has as many characters as it has code points: %j has %i', (text, count) => {
    expect(charactersOf(text)).toBe(count);
    expect(exceedsCharacters(text, count)).toBe(false);
    expect(exceedsCharacters(`${text}x`, count)).toBe(true);
  });
});
