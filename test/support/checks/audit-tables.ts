import type { TestDatabase } from '../server/postgres.js';

/** Everything that the audit relies on, by the keys of its rows. */
export const AUDIT_TABLES = {
  audit_record: ['tenant_id', 'audit_id'],
  audit_chain: ['tenant_id'],
  audit_head: ['tenant_id', 'key_id'],
  audit_heads_total: ['key_id'],
  audit_retention: ['tenant_id'],
} as const;
export type AuditTable = keyof typeof AUDIT_TABLES;
export type AuditTableRow = Readonly<Record<string, string | number | null>>;
export type AuditState = Readonly<Record<AuditTable, readonly AuditTableRow[]>>;

export const AUDIT_TABLE_NAMES = Object.keys(AUDIT_TABLES) as AuditTable[];

/** What an owner of the database can do. */
export class AuditTables {
  constructor(private readonly store: TestDatabase) {}

  async state(): Promise<AuditState> {
    const tables: [AuditTable, AuditTableRow[]][] = [];
    for (const table of AUDIT_TABLE_NAMES)
      tables.push([table, await this.run(`SELECT * FROM ${table} ORDER BY ${AUDIT_TABLES[table].join()}`)]);
    return Object.fromEntries(tables) as unknown as AuditState;
  }

  async restore(state: AuditState): Promise<void> {
    for (const table of AUDIT_TABLE_NAMES) {
      await this.run(`DELETE FROM ${table}`);
      for (const row of state[table]) await this.put(table, row);
    }
  }

  /** Replaces the row with the same key, if there is one. */
  async put(table: AuditTable, row: AuditTableRow): Promise<void> {
    await this.remove(table, row);
    const columns = Object.keys(row);
    const places = columns.map((_, i) => `$${i + 1}`);
    await this.run(`INSERT INTO ${table} (${columns.join()}) VALUES (${places.join()})`, Object.values(row));
  }

  async remove(table: AuditTable, row: AuditTableRow): Promise<void> {
    const keys = AUDIT_TABLES[table];
    const conditions = keys.map((key, i) => `${key} = $${i + 1}`).join(' AND ');
    await this.run(
      `DELETE FROM ${table} WHERE ${conditions}`,
      keys.map((key) => row[key]),
    );
  }

  run(text: string, values: unknown[] = []): Promise<AuditTableRow[]> {
    return this.store.database.query<AuditTableRow>({ name: '', text }, values);
  }
}

export const sameKey = (table: AuditTable, a: AuditTableRow, b: AuditTableRow): boolean =>
  AUDIT_TABLES[table].every((key) => a[key] === b[key]);
