import fc from 'fast-check';
import { CODE_POINTS_MAX, normalizePassword, passwordProblem } from './password-rules.js';

const COMMON = new Set(['password', 'qwerty123456789', 'correcthorsebatterystaple']);
const context = { lengthMin: 15, known: [] as (string | null)[], isCommon: (text: string) => COMMON.has(text) };
const refusal = (password: string, known: (string | null)[] = []): string | undefined =>
  passwordProblem(password, { ...context, known });

describe('a password', () => {
  it.each([
    'correct horse battery',
    'nur kleine buchstaben',
    '8f3b9c1d7e2a4f6b',
    '                a',
    'пароль для меня одного',
    '🐎🔋📎🐴🚲🛶🏔️🌋🎻🥁🎺🎷🪕🎲🧩',
    'with a nul \u0000 inside it',
  ])('is accepted whatever kinds of characters it has: %j', (password) => {
    expect(refusal(password)).toBeUndefined();
  });

  it.each([
    ['fourteen chars', 'must have at least 15 characters'],
    ['🐎'.repeat(14), 'must have at least 15 characters'],
    ['ab1 '.repeat(64) + 'x', 'must have at most 256 characters'],
    ['QWERTY123456789', 'is one of the passwords that are tried first'],
    ['ＱＷＥＲＴＹ１２３４５６７８９', 'is one of the passwords that are tried first'],
    ['passwordpassword', 'repeats a few characters'],
    ['xyzxyzxyzxyzxyz', 'repeats a few characters'],
    ['................', 'repeats a few characters'],
    ['abcdefghijklmnop', 'is a sequence of neighbouring characters'],
    ['zyxwvutsrqponmlk', 'is a sequence of neighbouring characters'],
    ['a lone surrogate \udc00', 'contains a lone surrogate, which is not a character'],
  ])('%j: %s', (password, reason) => {
    expect(refusal(password)).toBe(reason);
  });

  it('is not derived from what others know of the account', () => {
    const known = ['jane.doe@acme-corporation.example', 'Jane Margarete Doe', null];
    for (const password of [
      'jane.doe@acme-corporation.example',
      'JaneMargareteDoe2026',
      'Acme-Corporation-1',
      'janemargaretejane',
    ])
      expect(refusal(password, known)).toBe('is too much like the e-mail or the name');
    expect(refusal('Bücher-Handlung-1', ['j@xn--bcher-handlung-gsb.example'])).toBe(
      'is too much like the e-mail or the name',
    );
    expect(refusal('margarete likes nine blue kites', known)).toBeUndefined();
    expect(refusal('margarete likes nine blue kites', [])).toBeUndefined();
  });

  it('may be as short as eight where the operator says so', () => {
    expect(passwordProblem('k7#mQ2xw', { ...context, lengthMin: 8 })).toBeUndefined();
    expect(passwordProblem('k7#mQ2x', { ...context, lengthMin: 8 })).toBe('must have at least 8 characters');
  });

  it('is checked without an exception, with the same result in every form of composition', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, (password) => {
        const refused = refusal(password);
        expect(refusal(password.normalize('NFD'))).toBe(refused);
        expect(refusal(normalizePassword(password))).toBe(refused);
        const length = [...normalizePassword(password)].length;
        const tooShortOrLong = length < 15 || length > CODE_POINTS_MAX;
        expect(refused !== undefined || !tooShortOrLong).toBe(true);
      }),
    );
  });
});
