import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../kernel/clock.js';
import type { Settings } from '../../../platform/config/index.js';
import { parseApiKey } from '../domain/api-key.js';
import { FirstAdministrator } from './first-administrator.js';
import type { FirstKey } from './ports.js';

const NOW = 1_000_000;
const DAY_MS = 86_400_000;

let dataDir: string;
beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'first-key-'))));
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** What a first start makes, and the key that it stores; `storing` is called when it does. */
async function firstStart(settings: { apiKey: boolean; external: boolean }, storing = async () => {}) {
  let stored: FirstKey | undefined;
  const accounts = { any: async () => false, creatingFirst: (_: object, key?: FirstKey) => void (stored = key) };
  const Maker = FirstAdministrator as unknown as new (...parts: unknown[]) => FirstAdministrator;
  const admin = { email: 'a@example.test', apiKey: settings.apiKey } as Settings['admin'];
  const storage = { dataDir, databaseUrl: settings.external ? {} : undefined };
  const clock: Clock = { now: () => NOW };
  const maker = new Maker(accounts, { change: storing }, { hash: async () => 'hash' }, clock, admin, storage);
  return { access: (await maker.create())!, stored };
}

describe('the first API key', () => {
  it('is printed only where that was asked for, and ends after thirty days', async () => {
    const { access, stored } = await firstStart({ apiKey: true, external: true });
    expect(access.apiKeyFile).toBeUndefined();
    expect(parseApiKey(access.apiKey!)!.id).toBe(stored!.id);
    expect(stored!.expiresAt).toBe(NOW + 30 * DAY_MS);
  });

  it('is in the directory of the embedded store, and there before it is worth anything', async () => {
    let before = '';
    const file = join(dataDir, 'admin.key');
    const { access, stored } = await firstStart({ apiKey: false, external: false }, async () => {
      before = await readFile(file, 'utf8');
    });
    expect(access).toMatchObject({ apiKey: undefined, apiKeyFile: file });
    expect(parseApiKey(before.trim())!.id).toBe(stored!.id);
  });

  it('is not made beside an external store: the administrator logs in', async () => {
    const { access, stored } = await firstStart({ apiKey: false, external: true });
    expect(access).toMatchObject({ apiKey: undefined, apiKeyFile: undefined, password: expect.any(String) });
    expect(stored).toBeUndefined();
  });
});
