import fc from 'fast-check';
import { normalizeEmail, unicodeEmail } from './email.js';

describe('an e-mail', () => {
  it.each([
    ['Jane@ＡＣＭＥ.Example', 'jane@acme.example'],
    ['  jane@acme.example\u00a0', 'jane@acme.example'],
    ['jane@acme.example.', 'jane@acme.example'],
    ['jane@bücher.example', 'jane@xn--bcher-kva.example'],
    ['jane@BÜCHER.example.', 'jane@xn--bcher-kva.example'],
    ['jane@bu\u0308cher.example', 'jane@xn--bcher-kva.example'],
    ['jane@XN--BCHER-KVA.Example', 'jane@xn--bcher-kva.example'],
    ['jane@例え。テスト', 'jane@xn--r8jz45g.xn--zckzah'],
    ['jürgen@acme.example', 'jürgen@acme.example'],
  ])('has one form: %s', (email, normal) => {
    expect(normalizeEmail(email)).toBe(normal);
  });

  it('whose domain is not a valid host name is not changed, and matches no other', () => {
    for (const email of [
      'a@b/c',
      'a@b?c',
      'a@b#c',
      'a@b\\c',
      'a@ex%61mple.test',
      'a@b..c',
      `a@${'ü'.repeat(70)}`,
      'a@',
      '20240101',
    ]) {
      expect(normalizeEmail(email)).toBe(email);
      expect(unicodeEmail(email)).toBe(email);
    }
  });

  it('in normal form is not changed again, whatever the case of the original', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (email) => {
        expect(normalizeEmail(normalizeEmail(email.toUpperCase()))).toBe(normalizeEmail(email));
        expect(normalizeEmail(unicodeEmail(email))).toBe(normalizeEmail(email));
      }),
    );
  });
});
