import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrations, type Migration } from '../../src/platform/postgres/migrate.js';
import { migrationProblems, withNewMigrations, type MigrationLock } from '../support/checks/migration-lock.js';

const LOCK_FILE = join(import.meta.dirname, 'migrations.lock.json');

const readLock = (): MigrationLock =>
  existsSync(LOCK_FILE) ? (JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as MigrationLock) : {};

/** Adds what is new to the lock file, and says so. */
function updateLock(migrations: readonly Migration[]): void {
  const before = readLock();
  const after = withNewMigrations(migrations, before);
  const added = Object.keys(after).filter((name) => before[name] === undefined);
  if (added.length > 0) writeFileSync(LOCK_FILE, `${JSON.stringify(after, null, 2)}\n`);
  console.log(
    added.length > 0
      ? `Added to migrations.lock.json: ${added.join(', ')}`
      : 'migrations.lock.json knows all migrations.',
  );
}

describe('migrations', () => {
  it('that have landed stay unchanged: databases have run them, and never run them again', async () => {
    const migrations = await readMigrations();
    if (process.env['UPDATE_MIGRATION_LOCK'] === '1') updateLock(migrations);
    expect(migrationProblems(migrations, readLock())).toEqual([]);
  });

  const migrations = ['0001_a.sql', '0002_b.sql'].map((name) => ({ name, sql: '', checksum: `sum of ${name}` }));
  const lock = { '0001_a.sql': 'sum of 0001_a.sql', '0002_b.sql': 'sum of 0002_b.sql' };

  it.each<[string, Migration[], string]>([
    ['changed', [migrations[0]!, { ...migrations[1]!, checksum: 'another' }], '0002_b.sql has landed and was changed'],
    ['removed', [migrations[0]!], '0002_b.sql has landed and is missing'],
    ['not locked', [...migrations, { name: '0003_c.sql', sql: '', checksum: 'new' }], '0003_c.sql is new'],
    [
      'put before others',
      [...migrations, { name: '0002_c.sql', sql: '', checksum: 'new' }],
      '0002_c.sql is out of turn',
    ],
  ])('are watched: one that was %s is named', (_, found, message) => {
    expect(migrationProblems(migrations, lock)).toEqual([]);
    expect(migrationProblems(found, lock)).toContainEqual(expect.stringContaining(message));
  });

  it('are only added to the lock: a changed one keeps its original checksum', () => {
    const changed = [
      { ...migrations[0]!, checksum: 'another' },
      ...migrations.slice(1),
      { name: '0003_c.sql', sql: '', checksum: 'new' },
    ];
    expect(withNewMigrations(changed, lock)).toEqual({ ...lock, '0003_c.sql': 'new' });
  });
});
