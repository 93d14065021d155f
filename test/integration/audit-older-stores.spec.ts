import { BeginHeads } from '../../src/contexts/audit/application/begin-heads.js';
import { AuditTables, type AuditTableRow } from '../support/audit-tables.js';
import { AUDIT_KEYS } from '../support/audit.js';
import { Auditor } from '../support/auditor.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';

let store: TestDatabase;
let tables: AuditTables;
let one: Auditor;
/** The chain of acme after four records, and after six, as they were signed before there were heads. */
let early: AuditTableRow;

const chainOfThen = async (): Promise<AuditTableRow> => {
  const [chain] = (await tables.state()).audit_chain;
  const { tenant_id, base_seq, base_hash, sealed_seq, head_hash, sealed_at } = chain!;
  const text = JSON.stringify(['chain', tenant_id, base_seq, base_hash, sealed_seq, head_hash, sealed_at]);
  return { ...chain!, signature: AUDIT_KEYS.mac(text, 'audit') };
};
const start = (): Promise<void> => new BeginHeads(one.heads, one.retentions, one.chains).run(() => Promise.resolve());
const cutTo4 = async (): Promise<void> => {
  await tables.run(`DELETE FROM audit_record WHERE tenant_id = 'acme' AND seq > 4`);
  await tables.put('audit_chain', early);
};
const faultOf = async (tenantId: string): Promise<string | undefined> => (await one.verify(tenantId)).broken?.fault;

beforeEach(async () => {
  store = await createTestDatabase();
  tables = new AuditTables(store);
  one = new Auditor(store.database);
  await one.record('acme', 4);
  await one.sealAll();
  early = await chainOfThen();
  await one.record('acme', 2);
  await one.sealAll();
  await tables.put('audit_chain', await chainOfThen());
  await tables.run(
    `INSERT INTO audit_retention (tenant_id, max_age_days, version, updated_at) VALUES ('acme', 3000, 1, 0)`,
  );
  await tables.run('DELETE FROM audit_head');
});
afterEach(() => store.drop());

describe('a tenant of before heads were kept, to whose audit nothing is added any more', () => {
  it('is watched from the first start on: a row of its chain of then that is put back is seen', async () => {
    await start();
    expect(await one.faults()).toEqual([]);
    await cutTo4();
    expect(await faultOf('acme')).toBe('chain-rewritten');
  });

  it('is watched from the first start on: a retention that is removed, so that the shorter default would hold, is seen', async () => {
    await start();
    await tables.run('DELETE FROM audit_retention');
    expect(await faultOf('acme')).toBe('retention-rewritten');
  });

  it('is taken up once, also where a start was killed halfway and several instances start', async () => {
    await one.retentions.signAll(true);
    await one.heads.begin(); // and killed
    await Promise.all([start(), start()]);
    const before = await tables.state();
    await start();
    expect([await one.faults(), await tables.state()]).toEqual([[], before]);
  });

  it('is not taken up where its chain was tampered with at its ends before', async () => {
    await tables.run(`UPDATE audit_chain SET sealed_seq = 4 WHERE tenant_id = 'acme'`);
    await start();
    expect(await faultOf('acme')).toBe('chain-rewritten');
  });
});

it('no start makes good a row of then that was put in where the head was taken away', async () => {
  await start();
  await cutTo4();
  await tables.run('DELETE FROM audit_head');
  await start();
  expect(await one.faults()).toContain('heads-rewritten');
});
