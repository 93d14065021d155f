import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadSettings } from './load-settings.js';
import { SettingsError } from './problems.js';

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadSettings({ env });
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

const KEY = 'k'.repeat(40);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(content: string, name = 'extra.yaml'): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

describe('settings', () => {
  it('have defaults for a first start: port 3000, loopback, embedded PostgreSQL, webhooks to this machine', () => {
    const settings = loadSettings({ env: {} });
    expect(settings.http).toMatchObject({ port: 3_000, host: '127.0.0.1', publicUrl: undefined });
    expect(settings.storage).toMatchObject({ dataDir: './data', databaseUrl: undefined });
    expect(settings.delivery.allowedCidrs).toEqual(['127.0.0.0/8', '::1/128']);
    expect(settings.roles).toEqual(['api', 'worker']);
  });

  it('let production serve no page that takes credentials, unless enabled', () => {
    const docs = (env: Record<string, string>): boolean => loadSettings({ env }).http.docs;
    expect([docs({}), docs({ NODE_ENV: 'production' })]).toEqual([true, false]);
    expect(docs({ NODE_ENV: 'production', HTTP_DOCS: 'true' })).toBe(true);
  });

  it('let passwords be hashed at a cost of 12, of 10 in tests, and no setting lowers it below', () => {
    const cost = (NODE_ENV: string): number => loadSettings({ env: { NODE_ENV } }).security.bcryptCost;
    expect(['production', 'development', 'test'].map(cost)).toEqual([12, 12, 10]);
    expect(() => loadSettings({ env: { BCRYPT_COST: '9' } })).toThrow('BCRYPT_COST');
  });

  it('let production reach public addresses over https only', () => {
    expect(loadSettings({ env: { NODE_ENV: 'production' } }).delivery).toMatchObject({
      allowedCidrs: [],
      allowHttp: false,
    });
  });

  it('cannot be changed once they are loaded, at any depth', () => {
    const { http, delivery } = loadSettings({ env: {} });
    expect(() => ((http as { port: number }).port = 1)).toThrow(TypeError);
    expect(() => (delivery.allowedCidrs as string[]).push('0.0.0.0/0')).toThrow(TypeError);
  });

  it('stop the start with all problems at once, of each kind, by name and never by value', () => {
    const problems = problemsOf({
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      ADMIN_PASSWORD: 'hunter2',
      DELIVERY_ALLOWED_CIDRS: 'inside',
      BCRYPT_COST: '4',
      DELIVERY_TIMEOUT: '1',
      DATABASE_URL: 'postgres://root:swordfish@db/x',
      METRICS_TOKEN_FILE: join(directory, 'nowhere'),
      CONFIG_FILE: fileOf('nonsense: gibberish\n'),
    });
    expect(problems).toHaveLength(9);
    for (const name of ['PORT', 'LOG_LEVEL', 'ADMIN_PASSWORD', 'DELIVERY_ALLOWED_CIDRS', 'BCRYPT_COST', 'SECRET_KEY']) {
      expect(problems).toContainEqual(expect.stringContaining(`(${name})`));
    }
    for (const name of ['DELIVERY_TIMEOUT is', '(METRICS_TOKEN_FILE)', 'nonsense']) {
      expect(problems).toContainEqual(expect.stringContaining(name));
    }
    const { message, stack } = new SettingsError(problems);
    for (const value of ['eighty', 'loud', 'hunter2', 'inside', 'swordfish', 'gibberish']) {
      expect(`${message}${stack}`).not.toContain(value);
    }
  });

  it('require a master key with an external database in every profile, and report nothing twice', () => {
    for (const NODE_ENV of ['production', 'development', 'test']) {
      expect(problemsOf({ NODE_ENV, DATABASE_URL: 'postgres://db/x' })).toEqual([
        'security.secretKey (SECRET_KEY) is required with storage.databaseUrl (DATABASE_URL), and must be the same on all instances',
      ]);
    }
    expect(problemsOf({ DATABASE_URL: 'postgres://db/x', SECRET_KEY: 'short' })).toEqual([
      'security.secretKey (SECRET_KEY) must have at least 32 characters',
    ]);
    expect(problemsOf({ DATABASE_URL: 'postgres://db/x', SECRET_KEY: KEY })).toEqual([]);
  });

  it.each([
    ['a heartbeat that fits its lease twice', { DELIVERY_HEARTBEAT_MS: '3000' }, 'DELIVERY_LEASE_TTL_MS'],
    ['a head that ends before its request', { HTTP_REQUEST_TIMEOUT_MS: '9999' }, 'HTTP_HEADERS_TIMEOUT_MS'],
    ['an event that fits into its batch', { PUBLISH_BATCH_BYTES_MAX: '1048575' }, 'PUBLISH_EVENT_BYTES_MAX'],
  ])('demand %s', (_, env, name) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(`(${name})`)]);
  });

  it('refuse a key of 16 bytes that looks long in hexadecimal', () => {
    expect(problemsOf({ SECRET_KEY: 'ab'.repeat(16) })).toEqual([expect.stringContaining('64 characters')]);
    expect(problemsOf({ SECRET_KEY: 'ab'.repeat(32) })).toEqual([]);
  });

  it('refuse a misspelt sslmode instead of encrypting without a check', () => {
    const env = { SECRET_KEY: KEY };
    expect(problemsOf({ ...env, DATABASE_URL: 'postgres://db/x?sslmode=verify-ful' })).toEqual([
      expect.stringMatching(/\(DATABASE_URL\) .*sslmode/),
    ]);
    expect(problemsOf({ ...env, DATABASE_URL: 'postgres://db/x?sslmode=verify-full' })).toEqual([]);
  });
});

describe('secrets', () => {
  it('come from files, without the newline that editors leave', () => {
    const { security } = loadSettings({ env: { SECRET_KEY_FILE: fileOf(`${KEY}\n\n`, 'key') } });
    expect(security.secretKey?.reveal()).toBe(`${KEY}\n`);
  });

  it('are never printed', () => {
    const settings = loadSettings({
      env: {
        SECRET_KEY: KEY,
        ADMIN_PASSWORD: 'correct horse battery',
        DATABASE_URL: 'postgres://root:swordfish@db/x',
        METRICS_TOKEN: 'bearer-of-good-news',
      },
    });
    const { admin, storage } = settings;
    const printed = [
      JSON.stringify(settings),
      inspect(settings, { depth: 9, showHidden: true }),
      `${String(admin.password)} ${storage.databaseUrl}`,
    ].join();
    for (const value of ['kkk', 'horse', 'swordfish', 'good-news']) expect(printed).not.toContain(value);
    expect(printed.match(/\[secret\]/g)).toHaveLength(10);
  });

  it('are a problem when their file cannot be read, which causes no further problems', () => {
    expect(problemsOf({ DATABASE_URL: 'postgres://db/x', SECRET_KEY_FILE: directory })).toEqual([
      'security.secretKey (SECRET_KEY_FILE) names a file that cannot be read (EISDIR)',
    ]);
  });

  it('are a problem when given twice', () => {
    expect(problemsOf({ SECRET_KEY: KEY, SECRET_KEY_FILE: fileOf(KEY, 'key') })).toEqual([
      'SECRET_KEY and SECRET_KEY_FILE are both set; unset one of them',
    ]);
  });
});
