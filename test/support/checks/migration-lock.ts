import type { Migration } from '../../../src/platform/postgres/migrate.js';

/** Names of landed migrations and the SHA-256 of their texts. */
export type MigrationLock = Readonly<Record<string, string>>;

/** What is wrong with the migrations of this checkout compared with those that have landed, and what to do. */
export function migrationProblems(migrations: readonly Migration[], lock: MigrationLock): string[] {
  const present = new Map(migrations.map(({ name, checksum }) => [name, checksum]));
  const landed = Object.entries(lock);
  const gone = landed
    .filter(([name]) => !present.has(name))
    .map(([name]) => `${name} has landed and is missing: put it back`);
  const changed = landed
    .filter(([name, checksum]) => present.has(name) && present.get(name) !== checksum)
    .map(([name]) => `${name} has landed and was changed: put its text back and write a new migration`);
  const unlocked = migrations
    .filter(({ name }) => lock[name] === undefined)
    .map(
      ({ name }) =>
        `${name} is new: when it is final, run UPDATE_MIGRATION_LOCK=1 npm test -- test/architecture/migrations`,
    );
  const misnumbered = migrations
    .filter(({ name }, i) => !name.startsWith(`${String(i + 1).padStart(4, '0')}_`))
    .map(({ name }) => `${name} is out of turn: migrations are numbered 0001, 0002 … and new ones come last`);
  return [...gone, ...changed, ...unlocked, ...misnumbered];
}

/** The lock with the new migrations added. Existing entries stay as they are. */
export function withNewMigrations(migrations: readonly Migration[], lock: MigrationLock): MigrationLock {
  const current = Object.fromEntries(migrations.map(({ name, checksum }) => [name, checksum]));
  const all = { ...current, ...lock };
  return Object.fromEntries(Object.entries(all).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
