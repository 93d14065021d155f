import { AuditTables, type AuditState } from '../support/checks/audit-tables.js';
import { Auditor, NOW } from '../support/api/auditor.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';

let store: TestDatabase;
let tables: AuditTables;
let one: Auditor;
let before: AuditState;

beforeEach(async () => {
  store = await createTestDatabase();
  tables = new AuditTables(store);
  one = new Auditor(store.database);
  await one.heads.initialize();
  const keep = (version: number, days: number): Promise<boolean> =>
    store.database.transaction((sql) => one.retentions.replace(sql, 'acme', version, days, NOW));
  await one.record('acme', 3);
  await one.record('globex', 3);
  await one.sealAll();
  await keep(0, 30);
  before = await tables.state();
  await one.record('acme', 2);
  await one.sealAll();
  await keep(1, 3_000);
});
afterEach(() => store.drop());

/** What each of two tenants sees, and a caller that asks for all. */
const told = async (): Promise<(string | undefined)[]> => [
  (await one.verify('acme')).broken?.fault,
  (await one.verify('globex')).broken?.fault,
  (await one.verifier.breakOfHeads())?.fault,
];
const ofAcme = (table: keyof AuditState) => before[table].find((row) => row['tenant_id'] === 'acme')!;
const putBackAll = async (): Promise<void> => {
  await tables.run(`DELETE FROM audit_record WHERE tenant_id = 'acme' AND seq > 3`);
  for (const table of ['audit_chain', 'audit_retention', 'audit_head'] as const) await tables.put(table, ofAcme(table));
};
const deleteAll = async (): Promise<void> => {
  for (const table of ['audit_record', 'audit_chain', 'audit_retention', 'audit_head'])
    await tables.run(`DELETE FROM ${table} WHERE tenant_id = 'acme'`);
};

const CHAIN = ['chain-rewritten', undefined];
describe('tampering with the heads is detected', () => {
  it.each<[string, () => Promise<unknown>, (string | undefined)[]]>([
    ['nothing', () => Promise.resolve(), [undefined, undefined, undefined]],
    [
      'edits a head',
      () => tables.run(`UPDATE audit_head SET chain_signature = 'x' WHERE tenant_id = 'acme'`),
      [...CHAIN, 'heads-rewritten'],
    ],
    [
      'deletes a head',
      () => tables.run(`DELETE FROM audit_head WHERE tenant_id = 'acme'`),
      [...CHAIN, 'heads-rewritten'],
    ],
    ['puts back a head', () => tables.put('audit_head', ofAcme('audit_head')), [...CHAIN, 'heads-rewritten']],
    ['puts back all of a tenant', putBackAll, [undefined, undefined, 'heads-rewritten']],
    ['deletes all of a tenant', deleteAll, [undefined, undefined, 'heads-rewritten']],
    [
      'edits the sum',
      () => tables.run(`UPDATE audit_heads_total SET total = 'x'`),
      [undefined, undefined, 'heads-rewritten'],
    ],
    ['deletes the sum', () => tables.run('DELETE FROM audit_heads_total'), [undefined, undefined, 'heads-rewritten']],
    [
      'puts back the sum',
      () => tables.put('audit_heads_total', before.audit_heads_total[0]!),
      [undefined, undefined, 'heads-rewritten'],
    ],
    [
      'makes a head of a tenant that there is not',
      () => tables.run(`INSERT INTO audit_head SELECT 'nobody', key_id, chain_signature, '' FROM audit_head LIMIT 1`),
      [undefined, undefined, 'heads-rewritten'],
    ],
  ])('%s', async (_, tamper, expected) => {
    await tamper();
    expect(await told()).toEqual(expected);
    // Neither later records nor a restart hides it.
    await one.record('globex', 1);
    await one.sealAll();
    await one.heads.initialize();
    expect(await told()).toEqual(expected);
  });
});
