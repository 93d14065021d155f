import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import { AuditTrail, canonical, macOf, type AuditRow } from '../../../platform/audit/index.js';
import { equalDigests, KeyRing } from '../../../platform/crypto/keys.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import {
  AuditChains,
  AuditHeads,
  type Chain,
  type ChainInStore,
  type LockedChain,
  type SealedRecord,
  type Unsealed,
} from '../application/ports.js';
import { GENESIS } from '../domain/chain.js';
import { RECORD_COLUMNS } from './audit-rows.js';

const CHAIN_COLUMNS = `tenant_id AS "tenantId", base_seq AS "baseSeq", base_hash AS "baseHash", sealed_seq AS "sealedSeq",
  head_hash AS "headHash", sealed_at AS "sealedAt", signature`;

const UNSEALED_TENANTS: Statement = {
  name: 'audit-unsealed-tenants',
  text: `SELECT DISTINCT tenant_id AS "tenantId" FROM audit_record WHERE seq IS NULL AND tenant_id > $1 ORDER BY tenant_id LIMIT $2`,
};
const TENANTS: Statement = {
  name: 'audit-chain-tenants',
  text: `
SELECT tenant_id AS "tenantId" FROM audit_chain WHERE tenant_id > $1
UNION SELECT tenant_id FROM audit_head WHERE tenant_id > $1 AND chain_signature <> '' ORDER BY 1 LIMIT $2`,
};
const OPEN = `
INSERT INTO audit_chain (tenant_id, base_seq, base_hash, sealed_seq, head_hash, sealed_at, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id) DO NOTHING`;
const LOCK = `SELECT ${CHAIN_COLUMNS}, (SELECT max(seq) FROM audit_record WHERE tenant_id = $1) AS "lastSeq"
FROM audit_chain WHERE tenant_id = $1 FOR UPDATE SKIP LOCKED`;
/** A statement of its own, since one that waits for a row still sees the records of the moment when it began to. */
const WAIT = 'SELECT FROM audit_chain WHERE tenant_id = $1 FOR UPDATE';
const SAVE = `UPDATE audit_chain SET base_seq = $2, base_hash = $3, sealed_seq = $4, head_hash = $5, sealed_at = $6, signature = $7
WHERE tenant_id = $1`;
/** One statement sees one moment: the ends in the row and those of the records belong together. */
const FIND: Statement = {
  name: 'audit-chain-find',
  text: `SELECT ${CHAIN_COLUMNS},
  (SELECT min(seq) FROM audit_record WHERE tenant_id = $1) AS "firstSeq",
  (SELECT max(seq) FROM audit_record WHERE tenant_id = $1) AS "lastSeq",
  (SELECT chain_signature FROM audit_head WHERE tenant_id = $1 AND key_id = $2) AS "headSignature"
FROM audit_chain WHERE tenant_id = $1`,
};
const UNSEALED = `SELECT ${RECORD_COLUMNS}, mac FROM audit_record WHERE tenant_id = $1 AND seq IS NULL ORDER BY audit_id LIMIT $2`;
const SEALED: Statement = {
  name: 'audit-sealed',
  text: `SELECT ${RECORD_COLUMNS}, mac FROM audit_record WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
};
const COUNT_UNSEALED: Statement = {
  name: 'audit-count-unsealed',
  text: 'SELECT count(*) AS records FROM audit_record WHERE tenant_id = $1 AND seq IS NULL',
};
const SEAL = `UPDATE audit_record SET seq = sealed.seq, hash = sealed.hash
FROM unnest($2::text[], $3::bigint[], $4::text[]) AS sealed (audit_id, seq, hash)
WHERE audit_record.tenant_id = $1 AND audit_record.audit_id = sealed.audit_id`;
const TRIM = 'DELETE FROM audit_record WHERE tenant_id = $1 AND seq <= $2';

interface ChainRow {
  readonly tenantId: string;
  readonly baseSeq: number;
  readonly baseHash: string;
  readonly sealedSeq: number;
  readonly headHash: string;
  readonly sealedAt: number;
  readonly signature: string;
}

type LockedRow = ChainRow & { readonly lastSeq: number | null };
type FoundRow = LockedRow & { readonly firstSeq: number | null; readonly headSignature: string | null };
type Ends = Omit<Chain, 'genuine'>;
type StoredRecord = AuditRow & { readonly mac: string; readonly seq: number; readonly hash: string };

@Injectable()
export class PostgresAuditChains extends AuditChains {
  constructor(
    private readonly database: Database,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    private readonly heads: AuditHeads,
    private readonly trail: AuditTrail,
  ) {
    super();
  }

  async unsealedTenants(afterId: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ tenantId: string }>(UNSEALED_TENANTS, [afterId, limit]);
    return rows.map(({ tenantId }) => tenantId);
  }

  async tenants(afterId: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ tenantId: string }>(TENANTS, [afterId, limit]);
    return rows.map(({ tenantId }) => tenantId);
  }

  withLock<T>(
    tenantId: string,
    work: (chain: LockedChain) => Promise<T>,
    whenLocked: 'skip' | 'wait' = 'skip',
  ): Promise<T | undefined> {
    return this.database.transaction(async (sql) => {
      const lock = async (): Promise<LockedRow | undefined> => {
        if (whenLocked === 'wait') await sql.query(WAIT, [tenantId]);
        return (await sql.query<LockedRow>(LOCK, [tenantId])).rows[0];
      };
      let row = await lock();
      if (!row) {
        await this.open(sql, tenantId);
        row = await lock();
      }
      if (!row) return undefined;
      // By a statement of its own, which sees what the last holder of the row has committed.
      const head = await this.heads.find(sql, tenantId);
      return work(this.locked(sql, this.toChain(row, head?.chain), row.lastSeq));
    });
  }

  /** Where the tenant has had a chain, somebody has removed it: the new row does not fit the head, and is never continued. */
  private async open(sql: Sql, tenantId: string): Promise<void> {
    const ends = { tenantId, base: GENESIS, head: GENESIS, sealedAt: this.clock.now() };
    const { rowCount } = await sql.query(OPEN, this.valuesOf(ends));
    if (!rowCount || (await this.heads.find(sql, tenantId))?.chain) return;
    await this.heads.change(sql, tenantId, { chain: this.signatureOf(ends) });
  }

  async find(tenantId: string): Promise<ChainInStore | undefined> {
    const [row] = await this.database.query<FoundRow>(FIND, [tenantId, this.keyId]);
    return row && { ...this.toChain(row, row.headSignature), firstSeq: row.firstSeq, lastSeq: row.lastSeq };
  }

  async sealed(tenantId: string, afterSeq: number, limit: number): Promise<SealedRecord[]> {
    const rows = await this.database.query<StoredRecord>(SEALED, [tenantId, afterSeq, limit]);
    return rows.map((row) => this.toSealed(row));
  }

  async countUnsealed(tenantId: string): Promise<number> {
    const [row] = await this.database.query<{ records: number }>(COUNT_UNSEALED, [tenantId]);
    return row!.records;
  }

  private get keyId(): string {
    return this.keys.current('audit').id;
  }

  private locked(sql: Sql, chain: Chain, lastSeq: number | null): LockedChain {
    const { tenantId } = chain;
    const save = async (ends: Pick<Chain, 'base' | 'head'>): Promise<void> => {
      const saved = { tenantId, ...ends, sealedAt: this.clock.now() };
      await sql.query(SAVE, this.valuesOf(saved));
      await this.heads.change(sql, tenantId, { chain: this.signatureOf(saved) });
    };
    return {
      chain,
      intact: chain.genuine && (lastSeq ?? 0) <= chain.head.seq,
      async unsealed(limit): Promise<Unsealed[]> {
        const { rows } = await sql.query<StoredRecord & object>(UNSEALED, [tenantId, limit]);
        return rows.map((row) => ({ auditId: row.auditId, text: textOf(row) }));
      },
      async seal(places): Promise<void> {
        const [ids, seqs, hashes] = [
          places.map((place) => place.auditId),
          places.map((place) => place.seq),
          places.map((place) => place.hash),
        ];
        await sql.query(SEAL, [tenantId, ids, seqs, hashes]);
        const { seq, hash } = places.at(-1)!;
        await save({ base: chain.base, head: { seq, hash } });
      },
      sealed: async (afterSeq, limit) => {
        const { rows } = await sql.query<StoredRecord & object>(SEALED.text, [tenantId, afterSeq, limit]);
        return rows.map((row) => this.toSealed(row));
      },
      trim: async (base, record) => {
        await sql.query(TRIM, [tenantId, base.seq]);
        await this.trail.write(sql, record);
        await save({ base, head: chain.head });
      },
    };
  }

  private toSealed(row: StoredRecord): SealedRecord {
    const { seq, hash, occurredAt } = row;
    return { seq, hash, occurredAt, text: textOf(row), genuine: equalDigests(row.mac, macOf(this.keys, row)) };
  }

  private toChain(row: ChainRow, headSignature: string | null | undefined): Chain {
    const ends: Ends = {
      tenantId: row.tenantId,
      base: { seq: row.baseSeq, hash: row.baseHash },
      head: { seq: row.sealedSeq, hash: row.headHash },
      sealedAt: row.sealedAt,
    };
    const genuine = row.signature === headSignature && equalDigests(row.signature, this.signatureOf(ends));
    return { ...ends, genuine };
  }

  private valuesOf(ends: Ends): unknown[] {
    const { tenantId, base, head, sealedAt } = ends;
    return [tenantId, base.seq, base.hash, head.seq, head.hash, sealedAt, this.signatureOf(ends)];
  }

  private signatureOf(ends: Ends): string {
    return this.keys.sign(textOfEnds(ends), 'audit');
  }
}

const textOfEnds = ({ tenantId, base, head, sealedAt }: Ends): string =>
  JSON.stringify(['chain', tenantId, base.seq, base.hash, head.seq, head.hash, sealedAt]);

/** What of a record goes into the chain. */
const textOf = (row: StoredRecord): string => `${row.mac}\n${canonical(row)}`;
