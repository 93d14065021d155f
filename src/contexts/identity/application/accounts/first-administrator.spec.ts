import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../../kernel/clock.js';
import { Secret, SettingsError, type Settings } from '../../../../platform/config/index.js';
import { parseApiKey } from '../../domain/api-key-format.js';
import { CommonPasswords } from '../passwords/common-passwords.js';
import { Passwords } from '../passwords/passwords.js';
import { FirstAdministrator } from './first-administrator.js';
import type { FirstKey } from './ports.js';

const NOW = 1_000_000;
const DAY_MS = 86_400_000;

let dataDir: string;
beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'first-key-'))));
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** What a first start returns, and the key that it stores; `storing` is called when it stores. */
async function firstStart(
  { external, ...settings }: Partial<Settings['admin']> & { readonly external: boolean },
  storing = async () => {},
) {
  let stored: FirstKey | undefined;
  const accounts = { any: async () => false, creatingFirst: (_: object, key?: FirstKey) => void (stored = key) };
  const Maker = FirstAdministrator as unknown as new (...parts: unknown[]) => FirstAdministrator;
  const admin = { email: 'jane@example.test', ...settings };
  const storage = { dataDir, databaseUrl: external ? {} : undefined };
  const clock: Clock = { now: () => NOW };
  const passwords = Object.assign(Object.create(Passwords.prototype) as object, {
    common: new CommonPasswords(),
    settings: { passwordLengthMin: 15 },
    hash: async () => 'hash',
  });
  const warnings: object[] = [];
  const log = { warn: (fields: object) => void warnings.push(fields) };
  const maker = new Maker(accounts, { change: storing }, passwords, clock, log, admin, storage);
  return { access: (await maker.create())!, stored, warnings };
}

describe('the first API key', () => {
  it('is printed only on request, and expires after thirty days', async () => {
    const { access, stored } = await firstStart({ apiKey: true, external: true });
    expect(access.apiKeyFile).toBeUndefined();
    expect(parseApiKey(access.apiKey!)!.id).toBe(stored!.id);
    expect(stored!.expiresAt).toBe(NOW + 30 * DAY_MS);
  });

  it('is written to the directory of the embedded store before it is valid', async () => {
    let before = '';
    const file = join(dataDir, 'admin.key');
    const { access, stored } = await firstStart({ apiKey: false, external: false }, async () => {
      before = await readFile(file, 'utf8');
    });
    expect(access).toMatchObject({ apiKey: undefined, apiKeyFile: file });
    expect(parseApiKey(before.trim())!.id).toBe(stored!.id);
  });

  it('is not created with an external store: the administrator logs in', async () => {
    const { access, stored } = await firstStart({ apiKey: false, external: true });
    expect(access).toMatchObject({ apiKey: undefined, apiKeyFile: undefined, password: expect.any(String) });
    expect(stored).toBeUndefined();
  });
});

describe('the password that the operator chooses', () => {
  it.each([
    ['password', 'must have at least 15 characters'],
    ['abc-abc-abc-abc-', 'repeats a few characters'],
    ['jane@example.test', 'is too much like the e-mail or the name'],
    ['administrator-1', 'is too much like the e-mail or the name'],
  ])('is refused before anything is created, or accepted with a warning in development: %s', async (text, refusal) => {
    const problem = `admin.password (ADMIN_PASSWORD) ${refusal}`;
    const settings = { password: new Secret(text), external: false };
    await expect(firstStart(settings)).rejects.toEqual(new SettingsError([problem]));
    await expect(readdir(dataDir)).resolves.toEqual([]);
    const { access, warnings } = await firstStart({ ...settings, weakPassword: true });
    expect([access.password, warnings]).toEqual([undefined, [{ problem }]]);
  });

  it('is accepted without a warning if it follows the rules', async () => {
    const { warnings } = await firstStart({ password: new Secret('correct horse battery'), external: true });
    expect(warnings).toEqual([]);
  });
});
