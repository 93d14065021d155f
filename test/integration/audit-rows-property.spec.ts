import { randomInt } from 'node:crypto';
import {
  AUDIT_TABLE_NAMES,
  AuditTables,
  sameKey,
  type AuditTable,
  type AuditTableRow,
} from '../support/checks/audit-tables.js';
import { Auditor, NOW } from '../support/api/auditor.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

const DAY_MS = 86_400_000;
const TENANTS = ['acme', 'globex', 'initech'];

let store: TestDatabase;
let tables: AuditTables;
let one: Auditor;

beforeAll(async () => {
  store = await createTestDatabase();
  tables = new AuditTables(store);
  one = new Auditor(store.database);
  await one.heads.initialize();
});
afterAll(() => store.drop());

const keep = (tenantId: string, version: number, days: number): Promise<boolean> =>
  store.database.transaction((sql) => one.retentions.replace(sql, tenantId, version, days, NOW));

/** Numbers of a seed: the same choices again to investigate a failure. */
function choices(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** In its middle: what surrounds base64 is ignored. */
function edited(text: string | null | undefined): string {
  if (!text) return 'x';
  const at = Math.floor(text.length / 2);
  return text.slice(0, at) + (text[at] === 'x' ? 'y' : 'x') + text.slice(at + 1);
}

/** What the database itself refuses need not be detected: two records with one number. */
const UNIQUE_VIOLATION = '23505';
/** Signed by nothing and read by nothing. */
const UNREAD = new Set(['updated_at']);

it('any single row that is restored, removed or changed after a random history is detected', async () => {
  const seed = randomInt(2 ** 31);
  const pick = choices(seed);
  const any = <T>(list: readonly T[]): T => list[pick(list.length)]!;
  const past = [await tables.state()];
  const versions = new Map<string, number>();
  for (let step = 0; step < 25; step++) {
    const tenantId = any(TENANTS);
    const kind = pick(4);
    if (kind === 0) await one.record(tenantId, 1 + pick(3), NOW - 500 * DAY_MS);
    if (kind === 1) await one.record(tenantId, 1 + pick(3));
    if (kind === 2) await one.trim.runOnce();
    if (kind === 3) {
      const version = versions.get(tenantId) ?? 0;
      await keep(tenantId, version, 400 + step);
      versions.set(tenantId, version + 1);
    }
    await one.sealAll();
    past.push(await tables.state());
  }
  const present = past.at(-1)!;
  expect(await one.faults()).toEqual([]);

  const unseen: unknown[] = [];
  const tamper = async (what: string, table: AuditTable, row: AuditTableRow, work: Promise<void>): Promise<void> => {
    const refused = await work.then(
      () => false,
      (error: { code?: string }) => (error.code === UNIQUE_VIOLATION ? true : Promise.reject(error)),
    );
    if (!refused && (await one.faults()).length === 0) unseen.push([seed, what, table, row]);
    await tables.restore(present);
  };
  for (const table of AUDIT_TABLE_NAMES) {
    const isPresent = (row: AuditTableRow): boolean =>
      present[table].some((each) => JSON.stringify(each) === JSON.stringify(row));
    const gone = past.flatMap((state) => state[table]).filter((row) => !isPresent(row));
    for (let n = 0; n < 6; n++) {
      const old = any(gone);
      if (old) await tamper('put back', table, old, tables.put(table, old));
      const row = any(present[table]);
      if (!row) continue;
      await tamper('removed', table, row, tables.remove(table, row));
      const column = any(Object.keys(row).filter((name) => !UNREAD.has(name)));
      const value = row[column];
      const other = typeof value === 'number' ? value + 1 : edited(value);
      const changed = { ...row, [column]: other };
      if (present[table].some((each) => sameKey(table, each, changed) && each !== row)) continue;
      await tamper(
        'changed',
        table,
        changed,
        tables.remove(table, row).then(() => tables.put(table, changed)),
      );
    }
  }
  expect(unseen).toEqual([]);
  expect(await one.faults()).toEqual([]);
});
