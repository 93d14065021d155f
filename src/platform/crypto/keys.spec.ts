import { digest, equalDigests, KeyRing } from './keys.js';

const [old, young] = [Buffer.alloc(32, 'o'), Buffer.alloc(32, 'y')];

describe('the key ring', () => {
  it('has another key, with another name, for each purpose and each master key', () => {
    const all = [new KeyRing(old), new KeyRing(young)].flatMap((ring) =>
      (['secrets-at-rest', 'access-tokens', 'refresh-tokens', 'passwords', 'cursors'] as const).map((purpose) =>
        ring.current(purpose),
      ),
    );
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ key }) => key.export().toString('hex'))).size).toBe(all.length);
    expect(new KeyRing(old).current('passwords').id).toBe(new KeyRing(old).current('passwords').id);
  });

  it('uses the current key for everything new and accepts the previous one', () => {
    const [before, after] = [new KeyRing(old), new KeyRing(young, old)];
    expect(before.accepted('access-tokens').map(({ id }) => id)).toEqual([before.current('access-tokens').id]);
    expect(after.accepted('access-tokens').map(({ id }) => id)).toEqual([
      new KeyRing(young).current('access-tokens').id,
      before.current('access-tokens').id,
    ]);
    expect(after.decrypt(before.encrypt('secret', 'row 1'), 'row 1')).toBe('secret');
    expect(new KeyRing(young).decrypt(after.encrypt('secret', 'row 1'), 'row 1')).toBe('secret');
  });

  it('decrypts nothing for another row, with another key, or after a change', () => {
    const ring = new KeyRing(young, old);
    const sealed = ring.encrypt('secret', 'row 1');
    expect(() => ring.decrypt(sealed, 'row 2')).toThrow('unable to authenticate');
    expect(() => new KeyRing(old).decrypt(sealed, 'row 1')).toThrow('unable to authenticate');
    expect(() => ring.decrypt(`${sealed.slice(0, -6)}AAAA==`, 'row 1')).toThrow('unable to authenticate');
  });

  it('recognises what it has signed, with the current or the previous key, for one purpose', () => {
    const [before, after, stranger] = [new KeyRing(old), new KeyRing(young, old), new KeyRing(young)];
    const signature = before.sign('row 1', 'audit');
    expect(signature.startsWith(`${before.current('audit').id}.`)).toBe(true);
    expect([before, after, stranger].map((ring) => ring.isSigned('row 1', signature, 'audit'))).toEqual([
      true,
      true,
      false,
    ]);
    expect(before.isSigned('row 2', signature, 'audit')).toBe(false);
    expect(before.isSigned('row 1', signature, 'credentials')).toBe(false);
    for (const other of ['', '.', signature.slice(0, -1), `${signature}x`, signature.replace('.', '..')])
      expect(before.isSigned('row 1', other, 'audit')).toBe(false);
    expect(after.sign('row 1', 'audit').startsWith(`${after.current('audit').id}.`)).toBe(true);
  });

  it('compares digests of one length only', () => {
    expect(equalDigests(digest('a'), digest('a'))).toBe(true);
    expect(equalDigests(digest('a'), digest('b'))).toBe(false);
    expect(equalDigests(digest('a'), '')).toBe(false);
  });
});
