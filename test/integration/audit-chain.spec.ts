import { jest } from '@jest/globals';
import { KeyRing } from '../../src/platform/crypto/keys.js';
import { Obstacle } from '../support/faults/obstacle.js';
import { createTestDatabase, openDatabase, type TestDatabase } from '../support/server/postgres.js';
import { until } from '../support/api/workspace.js';
import { Auditor, NOW } from '../support/api/auditor.js';

const DAY_MS = 86_400_000;

describe('the chain of audit records', () => {
  let store: TestDatabase;
  let one: Auditor;
  beforeAll(async () => {
    store = await createTestDatabase();
    one = new Auditor(store.database);
    await one.heads.initialize();
  });
  afterAll(() => store.drop());

  let tenants = 0;
  const newTenant = async (records = 10): Promise<string> => {
    const tenantId = `tenant-${++tenants}`;
    if (records > 0) await one.record(tenantId, records);
    await one.sealAll();
    return tenantId;
  };
  const sql = (text: string, ...values: unknown[]): Promise<{ seq: number }[]> =>
    store.database.query({ name: '', text }, values);
  const seqs = async (tenantId: string): Promise<number[]> =>
    (await sql('SELECT seq FROM audit_record WHERE tenant_id = $1 ORDER BY audit_id', tenantId)).map(({ seq }) => seq);
  const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

  it('numbers the records of each tenant densely, in the order of their ids', async () => {
    const [a, b] = [await newTenant(450), await newTenant(3)];
    await one.record(a, 2);
    expect(await one.verify(a)).toMatchObject({ broken: undefined, records: 452, pending: 0, head: { seq: 452 } });
    expect(await seqs(a)).toEqual(upTo(1, 452));
    expect(await seqs(b)).toEqual([1, 2, 3]);
  });

  it('stays one dense chain when several instances seal and write at once', async () => {
    const tenantId = await newTenant(0);
    const instances = await Promise.all([1, 2, 3].map(() => new Auditor(openDatabase(store.connection))));
    const work = instances.map(async (instance) => {
      for (let round = 0; round < 5; round++) {
        await instance.record(tenantId, 60);
        await instance.seal.runOnce();
      }
    });
    await Promise.all(work);
    await one.sealAll();
    expect((await seqs(tenantId)).toSorted((a, b) => a - b)).toEqual(upTo(1, 900));
    expect(await one.verify(tenantId)).toMatchObject({ broken: undefined, records: 900, pending: 0 });
    expect(instances.flatMap(({ errors }) => errors)).toEqual([]);
    await Promise.all(instances.map(({ database }) => database.close()));
  });

  it('is left alone while another instance works on it', async () => {
    const tenantId = await newTenant(1);
    await one.record(tenantId, 1);
    await one.chains.withLock(tenantId, async () => {
      expect(await one.seal.runOnce()).toBe(false);
      expect(await one.chains.countUnsealed(tenantId)).toBe(1);
    });
    expect(await one.seal.runOnce()).toBe(true);
  });

  it('is verified with all that was written before, after the instance that works on it', async () => {
    const tenantId = await newTenant(1);
    await one.record(tenantId, 1);
    const sealer = await Obstacle.put(store.connection, 'SELECT FROM audit_chain WHERE tenant_id = $1', [tenantId]);
    const verdict = one.verify(tenantId);
    await until(
      () => sealer.isWaitedFor(),
      (felt) => felt,
    );
    await sealer.remove();
    expect(await verdict).toMatchObject({ broken: undefined, records: 2, pending: 0 });
  });

  const FIELDS = `occurred_at, action, outcome, reason, actor_kind, actor_id, user_id, address, user_agent, route, resource,
    correlation_id, times, state_before, state_after, mac`;
  const tampering: [what: string, statements: string[], broken: object][] = [
    [
      'an edited record',
      [`UPDATE audit_record SET actor_id = 'usr_other' WHERE tenant_id = $1 AND seq = 4`],
      { fault: 'record-changed', seq: 4 },
    ],
    [
      'an edited state',
      [`UPDATE audit_record SET state_after = '{"n":0}' WHERE tenant_id = $1 AND seq = 1`],
      { fault: 'record-changed', seq: 1 },
    ],
    [
      'a removed record',
      [`DELETE FROM audit_record WHERE tenant_id = $1 AND seq = 6`],
      { fault: 'record-missing', seq: 6 },
    ],
    [
      'the newest one removed',
      [`DELETE FROM audit_record WHERE tenant_id = $1 AND seq = 10`],
      { fault: 'record-missing', seq: 10 },
    ],
    ['all removed', [`DELETE FROM audit_record WHERE tenant_id = $1`], { fault: 'record-missing', seq: 1 }],
    [
      'two that changed places',
      [
        `UPDATE audit_record SET seq = 99 WHERE tenant_id = $1 AND seq = 3`,
        `UPDATE audit_record SET seq = 3 WHERE tenant_id = $1 AND seq = 5`,
        `UPDATE audit_record SET seq = 5 WHERE tenant_id = $1 AND seq = 99`,
      ],
      { fault: 'record-changed', seq: 3 },
    ],
    [
      'a record put between others',
      [
        `UPDATE audit_record SET seq = -seq WHERE tenant_id = $1 AND seq >= 5`,
        `UPDATE audit_record SET seq = 1 - seq WHERE tenant_id = $1 AND seq < 0`,
        `INSERT INTO audit_record (tenant_id, audit_id, seq, hash, ${FIELDS})
         SELECT tenant_id, 'aud_planted', 5, hash, ${FIELDS} FROM audit_record WHERE tenant_id = $1 AND seq = 2`,
      ],
      { fault: 'record-changed', seq: 5 },
    ],
    [
      'a record put behind the last',
      [
        `INSERT INTO audit_record (tenant_id, audit_id, seq, hash, ${FIELDS})
         SELECT tenant_id, 'aud_planted', 11, hash, ${FIELDS} FROM audit_record WHERE tenant_id = $1 AND seq = 2`,
      ],
      { fault: 'record-added', seq: 11 },
    ],
    [
      'a record put before the first',
      [
        `INSERT INTO audit_record (tenant_id, audit_id, seq, hash, ${FIELDS})
         SELECT tenant_id, 'aud_planted', 0, hash, ${FIELDS} FROM audit_record WHERE tenant_id = $1 AND seq = 2`,
      ],
      { fault: 'record-added', seq: 0 },
    ],
    [
      'a forged record that the sealer has taken',
      [
        `INSERT INTO audit_record (tenant_id, audit_id, ${FIELDS})
         SELECT tenant_id, 'aud_planted', ${FIELDS} FROM audit_record WHERE tenant_id = $1 AND seq = 2`,
      ],
      { fault: 'record-changed', seq: 11 },
    ],
    [
      'a chain that was cut short, its head moved',
      [
        `DELETE FROM audit_record WHERE tenant_id = $1 AND seq > 8`,
        `UPDATE audit_chain SET sealed_seq = 8, head_hash =
           (SELECT hash FROM audit_record WHERE tenant_id = $1 AND seq = 8) WHERE tenant_id = $1`,
      ],
      { fault: 'chain-rewritten', seq: null },
    ],
    [
      'a beginning that was cut off, its base moved',
      [
        `UPDATE audit_chain SET base_seq = 2, base_hash =
           (SELECT hash FROM audit_record WHERE tenant_id = $1 AND seq = 2) WHERE tenant_id = $1`,
        `DELETE FROM audit_record WHERE tenant_id = $1 AND seq <= 2`,
      ],
      { fault: 'chain-rewritten', seq: null },
    ],
  ];
  it.each(tampering)('shows %s', async (_, statements, broken) => {
    const tenantId = await newTenant();
    expect((await one.verify(tenantId)).broken).toBeUndefined();
    for (const statement of statements) await sql(statement, tenantId);
    expect((await one.verify(tenantId)).broken).toEqual(broken);
    // Later records do not repair it.
    await one.record(tenantId, 3);
    await one.sealAll();
    expect((await one.verify(tenantId)).broken).toEqual(broken);
  });

  it('is not continued if its signature does not match, which is reported once; other chains are', async () => {
    const [broken, sound] = [await newTenant(), await newTenant()];
    await sql(`UPDATE audit_chain SET signature = 'x' WHERE tenant_id = $1`, broken);
    const fresh = new Auditor(store.database);
    await fresh.record(broken, 1);
    await fresh.record(sound, 1);
    await fresh.sealAll();
    await fresh.sealAll();
    expect(await fresh.verify(broken)).toMatchObject({ broken: { fault: 'chain-rewritten' }, pending: 1 });
    expect(await fresh.verify(sound)).toMatchObject({ broken: undefined, records: 11, pending: 0 });
    expect(fresh.errors.filter((said) => JSON.stringify(said).includes(`"${broken}"`))).toHaveLength(1);
  });

  it('does not verify with another master key', async () => {
    const tenantId = await newTenant();
    const stranger = new Auditor(store.database, new KeyRing(Buffer.from('another master key of at least 32 bytes')));
    expect((await stranger.verify(tenantId)).broken).toEqual({ fault: 'record-changed', seq: 1 });
  });

  describe('whose beginning retention removes', () => {
    const aged = async (): Promise<string> => {
      const tenantId = await newTenant(0);
      await one.record(tenantId, 700, NOW - 401 * DAY_MS);
      await one.sealAll();
      await one.record(tenantId, 5, NOW - 31 * DAY_MS);
      await one.sealAll();
      await one.record(tenantId, 5);
      await one.sealAll();
      return tenantId;
    };
    const keep = (tenantId: string, days: number): Promise<unknown> =>
      store.database.transaction((own) => one.retentions.replace(own, tenantId, 0, days, NOW));

    it('still verifies, and continues', async () => {
      const tenantId = await aged();
      expect(await one.trim.runOnce()).toBe(700);
      await one.sealAll();
      // The last two record what was removed, in two steps.
      expect(await seqs(tenantId)).toEqual(upTo(701, 712));
      expect(await one.verify(tenantId)).toMatchObject({ broken: undefined, records: 12, head: { seq: 712 } });
      await keep(tenantId, 30);
      expect(await one.trim.runOnce()).toBe(5);
      expect(await one.trim.runOnce()).toBe(0);
      await one.record(tenantId, 1);
      expect(await one.verify(tenantId)).toMatchObject({ broken: undefined, records: 9, head: { seq: 714 } });
      await sql(`UPDATE audit_record SET reason = 'x' WHERE tenant_id = $1 AND seq = 708`, tenantId);
      expect((await one.verify(tenantId)).broken).toEqual({ fault: 'record-changed', seq: 708 });
    });

    it('records each removal forever, in the chain: which numbers, and the hash on which it continues', async () => {
      const tenantId = await aged();
      const hashes = await sql('SELECT hash FROM audit_record WHERE tenant_id = $1 AND seq IN (500, 700)', tenantId);
      await one.trim.runOnce();
      await one.sealAll();
      const told = await sql(
        `SELECT actor_id, resource, state_before, state_after FROM audit_record
         WHERE tenant_id = $1 AND action = 'audit.trimmed' ORDER BY seq`,
        tenantId,
      );
      expect(told).toEqual(
        [upTo(1, 500), upTo(501, 700)].map((removed, i) => ({
          actor_id: 'system',
          resource: `tenants/${tenantId}/audit`,
          state_before: JSON.stringify({
            firstSeq: removed[0],
            lastSeq: removed.at(-1),
            hash: (hashes[i] as unknown as { hash: string }).hash,
          }),
          state_after: '{"maxAge":"P400D"}',
        })),
      );
    });

    it('keeps only the records of the removal, and still continues its numbers', async () => {
      const tenantId = await newTenant(3);
      const later = new Auditor(store.database);
      later.clock.time = NOW + 500 * DAY_MS;
      await later.trim.runOnce();
      expect(await later.verify(tenantId)).toMatchObject({ broken: undefined, records: 1, head: { seq: 4 } });
      await later.record(tenantId, 1);
      expect(await later.verify(tenantId)).toMatchObject({ broken: undefined, records: 2, head: { seq: 5 } });
    });

    it('keeps old records that do not match, so that they can be examined', async () => {
      const tenantId = await aged();
      await sql(`UPDATE audit_record SET reason = 'x' WHERE tenant_id = $1 AND seq = 600`, tenantId);
      const own = new Auditor(store.database);
      expect(await own.trim.runOnce()).toBe(500); // the slice before is intact
      expect((await own.verify(tenantId)).broken).toEqual({ fault: 'record-changed', seq: 600 });
      expect(own.errors).toHaveLength(1);
    });

    it('is not reported as broken by a concurrent verification', async () => {
      const tenantId = await aged();
      const sealed = one.chains.sealed.bind(one.chains);
      const racing = jest.spyOn(one.chains, 'sealed').mockImplementationOnce(async (...args) => {
        await one.trim.runOnce();
        return sealed(...args);
      });
      expect(await one.verify(tenantId)).toMatchObject({ broken: undefined, records: 10 });
      racing.mockRestore();
    });
  });
});
