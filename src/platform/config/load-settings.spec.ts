import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadSettings, SettingsError } from './load-settings.js';

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    loadSettings({ env });
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

describe('settings', () => {
  it('have defaults with which a newcomer starts: port 3000, loopback, embedded PostgreSQL, webhooks to this machine', () => {
    const settings = loadSettings({ env: {} });
    expect(settings.http).toMatchObject({ port: 3_000, host: '127.0.0.1' });
    expect(settings.storage).toMatchObject({ dataDir: './data', databaseUrl: undefined });
    expect(settings.delivery.allowedCidrs).toEqual(['127.0.0.0/8', '::1/128']);
    expect(settings.roles).toEqual(['api', 'worker']);
  });

  it('let production reach public addresses over https only', () => {
    expect(loadSettings({ env: { NODE_ENV: 'production' } }).delivery).toMatchObject({
      allowedCidrs: [],
      allowHttp: false,
    });
  });

  it('are overridden by the environment, where an empty variable counts as not set', () => {
    const { http, delivery, roles } = loadSettings({
      env: { PORT: '4000', HOST: '', DELIVERY_ALLOWED_CIDRS: '10.0.0.0/8, fd00::/8', ROLES: 'api' },
    });
    expect([http.port, http.host, delivery.allowedCidrs, roles]).toEqual([
      4_000,
      '127.0.0.1',
      ['10.0.0.0/8', 'fd00::/8'],
      ['api'],
    ]);
  });

  it('stop the start with all problems at once, by name and never by value', () => {
    const problems = problemsOf({
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      ADMIN_PASSWORD: 'hunter2',
      DELIVERY_ALLOWED_CIDRS: 'inside',
      BCRYPT_COST: '4',
    });
    expect(problems).toHaveLength(5);
    for (const name of ['PORT', 'LOG_LEVEL', 'ADMIN_PASSWORD', 'DELIVERY_ALLOWED_CIDRS', 'BCRYPT_COST']) {
      expect(problems.some((problem) => problem.includes(`(${name})`))).toBe(true);
    }
    for (const value of ['eighty', 'loud', 'hunter2', 'inside']) expect(problems.join()).not.toContain(value);
  });

  it('know a misspelt variable that can only be ours, and say what was meant', () => {
    expect(problemsOf({ DELIVERY_ALLOWED_CIDR: '10.0.0.0/8' })).toEqual([
      'DELIVERY_ALLOWED_CIDR is not a known setting; did you mean DELIVERY_ALLOWED_CIDRS?',
    ]);
    expect(problemsOf({ HTTP_PROXY: 'http://proxy' })).toEqual([]);
  });

  it('refuse unknown keys of a file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'settings-'));
    try {
      const file = join(directory, 'extra.yaml');
      writeFileSync(file, 'http:\n  prot: 80\n');
      expect(problemsOf({ CONFIG_FILE: file })).toEqual([`http.prot in ${file} is not a known setting`]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('demand a secret key with an external database, and a heartbeat that fits its lease', () => {
    expect(problemsOf({ DATABASE_URL: 'postgres://db/x' })).toEqual([expect.stringContaining('SECRET_KEY')]);
    expect(problemsOf({ DELIVERY_HEARTBEAT_MS: '3000' })).toEqual([expect.stringContaining('DELIVERY_HEARTBEAT_MS')]);
  });

  it('take secrets from files, and print none of them', () => {
    const directory = mkdtempSync(join(tmpdir(), 'settings-'));
    try {
      const file = join(directory, 'key');
      writeFileSync(file, `${'k'.repeat(40)}\n`);
      const settings = loadSettings({ env: { SECRET_KEY_FILE: file, ADMIN_PASSWORD: 'correct horse battery' } });
      expect(settings.security.secretKey?.reveal()).toBe('k'.repeat(40));
      const printed = `${JSON.stringify(settings)} ${inspect(settings, { depth: 9 })} ${String(settings.admin.password)}`;
      expect(printed).not.toContain('kkk');
      expect(printed).not.toContain('horse');
    } finally {
      rmSync(directory, { recursive: true });
    }
    expect(problemsOf({ SECRET_KEY_FILE: '/nowhere/key' })).toEqual([
      'SECRET_KEY_FILE names a file that does not exist',
    ]);
  });

  it('cannot be changed once they are loaded', () => {
    const settings = loadSettings({ env: {} });
    expect(() => ((settings.http as { port: number }).port = 1)).toThrow(TypeError);
  });
});
