import type { FieldError } from '../../../kernel/domain-error.js';
import {
  eventIdProblem,
  nameProblem,
  referenceProblem,
  schemaVersionProblem,
  typeProblem,
  checkField,
} from './envelope.js';

/** One character, two units of UTF-16. */
const WIDE = '😀';
const CONTROLS = ['\u0000', '\n', '\u007f', '\u0085', '\u2028', '\u2029'];

describe('an event id', () => {
  it.each([['a'], ['7'], ['order-7'], ['a.b.c'], ['a.'], ['A_:~@+=,|$!*()-'], ['x'.repeat(128)]])('%j is one', (id) =>
    expect(eventIdProblem(id)).toBeNull(),
  );

  it.each([['-a'], ['.a'], ['$a'], ['a..b'], ['a/b'], ['a b'], ['a"b'], ['a\\b'], ['a%b'], ['ä'], ['a\n']])(
    '%j is none',
    (id) => expect(eventIdProblem(id)).toMatch(/^must begin with a letter or digit/),
  );

  it('has 1 to 128 characters, and is a string', () => {
    for (const id of ['', 'x'.repeat(129)]) expect(eventIdProblem(id)).toBe('must have 1 to 128 characters');
    for (const id of [7, null, undefined, ['a'], {}]) expect(eventIdProblem(id)).toBe('must be a string');
  });
});

describe('a type', () => {
  it('is visible ASCII of 1 to 255 characters', () => {
    for (const type of ['order.created', '!', '~', 'x'.repeat(255)])
      expect([type, typeProblem(type)]).toEqual([type, null]);
    for (const type of ['a b', 'ä', 'a\tb', 'a\u0000', WIDE])
      expect([type, typeProblem(type)]).toEqual([type, 'must be visible ASCII without spaces']);
    for (const type of ['', 'x'.repeat(256)]) expect(typeProblem(type)).toBe('must have 1 to 255 characters');
    expect(typeProblem(7)).toBe('must be a string');
  });
});

describe('a key or stream', () => {
  it('is any text of 1 to 255 characters, however many bytes they have', () => {
    for (const name of [' ', 'a/b', '"', 'Ö', WIDE.repeat(255)])
      expect([name, nameProblem(name)]).toEqual([name, null]);
    for (const name of ['', WIDE.repeat(256)]) expect(nameProblem(name)).toBe('must have 1 to 255 characters');
    expect(nameProblem(null)).toBe('must be a string');
  });

  it('has no control characters, line separators or halves of a character', () => {
    for (const bad of CONTROLS)
      expect([bad, nameProblem(`a${bad}`)]).toEqual([bad, 'must not have control characters']);
    for (const half of ['\ud83d', '\ude00']) expect(nameProblem(`a${half}`)).toBe('must be well-formed Unicode');
  });
});

describe('a correlation or causation id', () => {
  it('is visible ASCII of 1 to 128 characters', () => {
    for (const id of ['a', '<"\'>', 'x'.repeat(128)]) expect([id, referenceProblem(id)]).toEqual([id, null]);
    for (const id of ['', 'a b', 'ä', 'a\r\n', 'x'.repeat(129)])
      expect([id, referenceProblem(id)]).toEqual([id, 'must be 1 to 128 visible ASCII characters']);
    expect(referenceProblem(7)).toBe('must be a string');
  });
});

describe('a schema version', () => {
  it('is a whole number from 1 to 1000000', () => {
    for (const version of [1, 1_000_000]) expect(schemaVersionProblem(version)).toBeNull();
    for (const version of [0, -1, 1.5, 1_000_001, '1', null, NaN, Infinity])
      expect([version, schemaVersionProblem(version)]).toEqual([version, 'must be a whole number from 1 to 1000000']);
  });
});

it('a problem is recorded with the place of the field', () => {
  const errors: FieldError[] = [];
  expect([checkField(errors, '/id', null), checkField(errors, '/type', 'must be a string')]).toEqual([true, false]);
  expect(errors).toEqual([{ pointer: '/type', detail: 'must be a string' }]);
});
