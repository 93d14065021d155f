import { jest } from '@jest/globals';
import type { Settings } from '../../../../platform/config/index.js';
import { HashingThreads } from '../../../../platform/crypto/hashing-threads.js';
import { KeyRing } from '../../../../platform/crypto/keys.js';
import { CommonPasswords } from './common-passwords.js';
import { HASHES_AT_ONCE, Passwords } from './passwords.js';

const [old, young] = [Buffer.alloc(32, 'o'), Buffer.alloc(32, 'y')];
const threads = new HashingThreads();
afterAll(() => threads.close());

const passwords = (keys = new KeyRing(old), bcryptCost = 4): Passwords =>
  new Passwords(keys, new CommonPasswords(), threads, { bcryptCost, passwordLengthMin: 15 } as Settings['security']);

describe('a hash', () => {
  it('matches its own password only, and names its format and key', async () => {
    const hash = await passwords().hash('correct horse battery');
    expect(hash).toMatch(/^v1\$[\w-]{8}\$\$2b\$04\$/);
    expect(await passwords().verify('correct horse battery', hash)).toEqual({ right: true, outdated: false });
    expect(await passwords().verify('Correct horse battery', hash)).toMatchObject({ right: false });
  });

  it('of another cost or key matches and is reported as outdated', async () => {
    const hash = await passwords().hash('correct horse battery');
    for (const [checker, kept] of [
      [passwords(new KeyRing(old), 5), hash],
      [passwords(new KeyRing(young, old)), hash],
    ] as const)
      expect(await checker.verify('correct horse battery', kept)).toEqual({ right: true, outdated: true });
  });

  it('matches nothing without its key', async () => {
    const hash = await passwords().hash('correct horse battery');
    expect(await passwords(new KeyRing(young)).verify('correct horse battery', hash)).toMatchObject({ right: false });
  });

  it('that is missing is compared all the same, and never matches', async () => {
    for (const missing of [undefined, null])
      expect(await passwords().verify('correct horse battery', missing)).toMatchObject({ right: false });
  });

  it('that is missing is replaced by a decoy of the same cost and form', async () => {
    const compared = jest.spyOn(threads, 'compare').mockResolvedValue(false);
    for (let n = 0; n < 200; n++) await passwords(new KeyRing(old), 12).verify('correct horse battery', null);
    const hashes = new Set(compared.mock.calls.map(([, hash]) => hash));
    compared.mockRestore();
    expect(hashes.size).toBe(200);
    for (const hash of hashes) expect(hash).toMatch(/^\$2b\$12\$[./A-Za-z0-9]{53}$/);
  });
});

describe('hashing', () => {
  it('accepts as many at once as leave a core free, and 32 that wait; the rest are refused immediately', async () => {
    const hasher = passwords();
    const all = await Promise.allSettled(Array.from({ length: 40 }, () => hasher.hash('correct horse battery')));
    const refused = all.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(40 - 32 - HASHES_AT_ONCE);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: 'login-busy', extensions: { retryAfterSeconds: 2 } });
    await expect(hasher.hash('correct horse battery')).resolves.toMatch(/^v1/);
  });

  it('makes no caller wait for more than two seconds', async () => {
    jest.useFakeTimers();
    try {
      const hasher = passwords();
      const stuck = Promise.withResolvers<string>();
      const spy = jest.spyOn(threads, 'hash').mockImplementation(() => stuck.promise);
      const first = Array.from({ length: HASHES_AT_ONCE }, () => hasher.hash('a'));
      const late = Promise.allSettled([hasher.hash('c')]);
      jest.advanceTimersByTime(2_000);
      expect(await late).toMatchObject([{ reason: { code: 'login-busy' } }]);
      stuck.resolve('hash');
      await Promise.all(first);
      spy.mockRestore();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('the list of common passwords', () => {
  it('is large, and contains the passwords that are tried first', async () => {
    const known = await new CommonPasswords().load();
    expect(known.size).toBeGreaterThan(10_000);
    for (const common of ['123456789', 'password', 'qwerty123456789']) expect(known.has(common)).toBe(true);
    expect(known.has('correct horse battery staple')).toBe(false);
  });
});
