import { KeyRing } from '../../src/platform/crypto/keys.js';
import { AuditTables, type AuditTable, type AuditTableRow } from '../support/checks/audit-tables.js';
import { Auditor, NOW } from '../support/api/auditor.js';
import { createTestDatabase, openDatabase, type TestDatabase } from '../support/server/postgres.js';

const DAY_MS = 86_400_000;
const TENANTS = ['acme', 'globex', 'initech'];

let store: TestDatabase;
let tables: AuditTables;
let one: Auditor;

beforeEach(async () => {
  store = await createTestDatabase();
  tables = new AuditTables(store);
  one = new Auditor(store.database);
  await one.heads.initialize();
});
afterEach(() => store.drop());

const keep = (tenantId: string, version: number, days: number): Promise<boolean> =>
  store.database.transaction((sql) => one.retentions.replace(sql, tenantId, version, days, NOW));
const rowsOf = async (table: AuditTable, tenantId?: string): Promise<AuditTableRow[]> =>
  (await tables.state())[table].filter((row) => tenantId === undefined || row['tenant_id'] === tenantId);
const faultOf = async (tenantId: string): Promise<string | undefined> => (await one.verify(tenantId)).broken?.fault;
const faults = (): Promise<string[]> => one.faults();

describe('restoring an earlier row of a chain', () => {
  const eight = async (): Promise<AuditTableRow> => {
    await one.record('acme', 8);
    await one.record('globex', 2);
    await one.sealAll();
    const [kept] = await rowsOf('audit_chain', 'acme');
    await one.record('acme', 3);
    await one.sealAll();
    return kept!;
  };
  const cutTo8 = (): Promise<unknown> =>
    tables.run(`DELETE FROM audit_record WHERE tenant_id = 'acme' AND (seq > 8 OR seq IS NULL)`);

  it('with all later records removed is detected, also after new records were added', async () => {
    const kept = await eight();
    await cutTo8();
    await tables.put('audit_chain', kept);
    expect(await faultOf('acme')).toBe('chain-rewritten');
    await one.record('acme', 1);
    await one.sealAll();
    expect(await one.verify('acme')).toMatchObject({ broken: { fault: 'chain-rewritten' }, records: 8, pending: 1 });
    expect([await faultOf('globex'), await one.verifier.breakOfHeads()]).toEqual([undefined, undefined]);
  });

  it('with its head as well is detected by the sum of all heads, forever', async () => {
    await one.record('acme', 8);
    await one.sealAll();
    const before = await tables.state();
    await one.record('acme', 3);
    await one.sealAll();
    await cutTo8();
    await tables.put('audit_chain', before.audit_chain[0]!);
    await tables.put('audit_head', before.audit_head[0]!);
    expect(await faults()).toEqual(['heads-rewritten']);
    await one.record('acme', 1);
    await one.record('globex', 1);
    await one.sealAll();
    expect(await faults()).toEqual(['heads-rewritten']);
  });

  it('is not hidden by starting the heads again', async () => {
    const kept = await eight();
    await cutTo8();
    await tables.put('audit_chain', kept);
    await tables.run('DELETE FROM audit_head');
    await tables.run('DELETE FROM audit_heads_total');
    await one.heads.initialize();
    expect(await faults()).toEqual(['chain-rewritten', 'chain-rewritten', 'heads-rewritten']);
  });

  it('of a tenant whose records, chain and head are all removed is detected by the sum', async () => {
    await eight();
    for (const table of ['audit_record', 'audit_chain', 'audit_head'] as const)
      await tables.run(`DELETE FROM ${table} WHERE tenant_id = 'acme'`);
    expect(await faults()).toEqual(['heads-rewritten']);
  });

  it('removed with the records, but not with the head, is detected at the tenant', async () => {
    await eight();
    for (const table of ['audit_record', 'audit_chain'] as const)
      await tables.run(`DELETE FROM ${table} WHERE tenant_id = 'acme'`);
    expect(await faults()).toEqual(['chain-rewritten']);
  });
});

describe('a head that was kept elsewhere', () => {
  it('is confirmed as long as the chain continues from it, and not if the chain was cut or replaced', async () => {
    await one.record('acme', 8);
    const { head } = await one.verify('acme');
    await one.record('acme', 2);
    const asked = async (seq: number, hash: string): Promise<unknown[]> => {
      const { holds, broken } = await one.verifier.verify('acme', new AbortController().signal, { seq, hash });
      return [holds, broken?.fault];
    };
    expect(await asked(8, head.hash)).toEqual([true, undefined]);
    expect(await asked(7, head.hash)).toEqual([false, 'chain-rewritten']);
    expect(await asked(11, head.hash)).toEqual([false, 'chain-rewritten']);
    await tables.run(`UPDATE audit_record SET reason = 'x' WHERE tenant_id = 'acme' AND seq = 9`);
    expect(await asked(8, head.hash)).toEqual([true, 'record-changed']);
    await tables.run(`UPDATE audit_record SET reason = 'x' WHERE tenant_id = 'acme' AND seq = 3`);
    expect(await asked(8, head.hash)).toEqual([false, 'record-changed']);
  });

  it('cannot be checked once retention has removed it, except for the last one removed', async () => {
    await one.record('acme', 8, NOW - 500 * DAY_MS);
    const { head } = await one.verify('acme');
    await one.trim.runOnce();
    const asked = async (seq: number, hash: string): Promise<unknown> =>
      (await one.verifier.verify('acme', new AbortController().signal, { seq, hash })).holds;
    expect([await asked(8, head.hash), await asked(8, 'x'), await asked(7, 'x')]).toEqual([true, false, null]);
  });
});

describe('a retention', () => {
  const threeOld = async (tenantId: string): Promise<void> => {
    await one.record(tenantId, 3, NOW - 40 * DAY_MS);
    await one.sealAll();
  };
  const INSERT = `INSERT INTO audit_retention (tenant_id, max_age_days, version, updated_at, signature) VALUES ('acme', $1, 1, 0, '')`;

  it.each([[0], [-1], [30]])(
    'of %i days that someone wrote into the database removes nothing, and is reported',
    async (days) => {
      await threeOld('acme');
      await tables.run(INSERT, [days]);
      expect(await one.trim.runOnce()).toBe(0);
      expect(one.errors).toHaveLength(1);
      expect(await one.verify('acme')).toMatchObject({ broken: { fault: 'retention-rewritten' }, records: 3 });
      // The next start does not sign it.
      await one.retentions.signAgain();
      expect(await faultOf('acme')).toBe('retention-rewritten');
      // Someone with the right to choose it chooses again.
      expect(await keep('acme', 1, 3_000)).toBe(true);
      expect([await faults(), await one.trim.runOnce()]).toEqual([[], 0]);
    },
  );

  it('never removes records younger than the shortest retention allowed, even if it is signed', async () => {
    await one.record('acme', 3, NOW - 29 * DAY_MS);
    await one.sealAll();
    expect(await keep('acme', 0, 1)).toBe(true);
    expect(await one.retentions.find('acme')).toEqual({ days: 30, version: 1, genuine: true });
    expect(await one.trim.runOnce()).toBe(0);
  });

  it.each<[string, (row: AuditTableRow) => Promise<unknown>]>([
    ['is edited', () => tables.run('UPDATE audit_retention SET max_age_days = 30')],
    ['is removed, so that the shorter default would hold', () => tables.run('DELETE FROM audit_retention')],
    ['is put back', (row) => tables.put('audit_retention', row)],
    [
      'is that of another tenant',
      (row) => tables.put('audit_retention', { ...row, tenant_id: 'acme' }).then(() => undefined),
    ],
  ])('that %s removes nothing', async (_, tamper) => {
    await threeOld('acme');
    await keep('acme', 0, 30);
    const [kept] = await rowsOf('audit_retention', 'acme');
    await keep('acme', 1, 3_000);
    await tamper(kept!);
    expect(await one.trim.runOnce()).toBe(0);
    expect(await faultOf('acme')).toBe('retention-rewritten');
    expect(await faultOf('globex')).toBeUndefined();
  });

  it('stays valid when the master key is replaced', async () => {
    await keep('acme', 0, 31);
    const young = Buffer.from('the next master key of the tests, 32 bytes');
    const old = Buffer.from('a master key of the tests, 32 bytes or more');
    const next = new Auditor(store.database, new KeyRing(young, old));
    await next.retentions.signAgain();
    await next.heads.initialize();
    expect(await next.retentions.find('acme')).toMatchObject({ days: 31, genuine: true });
    const later = new Auditor(store.database, new KeyRing(young));
    expect(await later.retentions.find('acme')).toMatchObject({ days: 31, genuine: true });
    expect(await later.heads.matchTotal()).toBe(true);
  });
});

it('the sum stays correct when several instances seal, trim and change retentions at once', async () => {
  const instances = [1, 2, 3].map(() => new Auditor(openDatabase(store.connection)));
  await Promise.all(
    instances.map(async (instance, i) => {
      await instance.heads.initialize();
      for (let round = 0; round < 5; round++) {
        for (const tenantId of TENANTS) await instance.record(tenantId, 5, NOW - (round < 3 ? 500 : 1) * DAY_MS);
        await instance.seal.runOnce();
        const own = await instance.retentions.find(TENANTS[i]!);
        await instance.database.transaction((sql) =>
          instance.retentions.replace(sql, TENANTS[i]!, own?.version ?? 0, 100 + round, NOW),
        );
        await instance.trim.runOnce();
      }
    }),
  );
  await one.sealAll();
  expect(await faults()).toEqual([]);
  expect(instances.flatMap(({ errors }) => errors)).toEqual([]);
  await Promise.all(instances.map(({ database }) => database.close()));
});
