import type { Client } from 'pg';
import { DomainError } from '../../src/kernel/domain-error.js';
import { migrate, readMigrations, type Migration } from '../../src/platform/postgres/migrate.js';
import { connect, createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const codeOf = (error: unknown): string => (error instanceof DomainError ? error.code : String(error));

const fakeMigration = (name: string, sql: string): Migration => ({ name, sql, checksum: `sum of ${name}` });

describe('migrations', () => {
  let empty: TestDatabase;
  let client: Client;
  let migrations: Migration[];

  beforeEach(async () => {
    empty = await createTestDatabase('empty');
    client = await connect(empty.connection);
    migrations = await readMigrations();
  });

  afterEach(async () => {
    await client.end();
    await empty.drop();
  });

  const tables = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    );
    return rows[0]!.count;
  };

  it('bring an empty database to the schema of this release, each of them once', async () => {
    const names = migrations.map(({ name }) => name);
    expect(await migrate(client, migrations)).toEqual(names);
    expect(await migrate(client, migrations)).toEqual([]);
    const { rows } = await client.query<{ name: string }>('SELECT name FROM schema_migration ORDER BY name');
    expect(rows.map(({ name }) => name)).toEqual(names);
    const { rows: heads } = await client.query("SELECT topic_uid FROM topic_head WHERE tenant_id = '$system'");
    expect(heads.length).toBeGreaterThanOrEqual(4);
  });

  it('are applied once by instances that start together', async () => {
    const others = await Promise.all([1, 2, 3].map(() => connect(empty.connection)));
    const applied = await Promise.all([client, ...others].map((starter) => migrate(starter, migrations)));
    expect(applied.flat().toSorted()).toEqual(migrations.map(({ name }) => name));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    await Promise.all(others.map((other) => other.end()));
  });

  it('whose text has changed after they were applied stop the start', async () => {
    await migrate(client, migrations);
    const [first, ...rest] = migrations;
    const edited = [{ ...first!, checksum: 'of another text' }, ...rest];
    expect(await migrate(client, edited).catch(codeOf)).toBe('migration-changed');
  });

  it('that this release does not know stop the start: the schema belongs to a newer one', async () => {
    await migrate(client, [
      ...migrations,
      fakeMigration('9999_future.sql', 'CREATE TABLE future (id bigint PRIMARY KEY)'),
    ]);
    expect(await migrate(client, migrations).catch(codeOf)).toBe('schema-too-new');
  });

  it('that fail leave nothing behind, and earlier ones stay', async () => {
    await migrate(client, migrations);
    const before = await tables();
    const broken = fakeMigration('9999_broken.sql', 'CREATE TABLE half (id bigint PRIMARY KEY); SELECT 1 / 0');
    await expect(migrate(client, [...migrations, broken])).rejects.toThrow('division by zero');
    expect(await tables()).toBe(before);
    expect(await migrate(client, migrations)).toEqual([]);
  });

  it('free their lock also after a failure, so that the next start is not stuck', async () => {
    const broken = fakeMigration('9999_broken.sql', 'SELECT 1 / 0');
    await expect(migrate(client, [...migrations, broken])).rejects.toThrow('division by zero');
    const other = await connect(empty.connection);
    await other.query("SET lock_timeout = '1s'");
    expect(await migrate(other, migrations)).toEqual([]);
    await other.end();
  });
});
