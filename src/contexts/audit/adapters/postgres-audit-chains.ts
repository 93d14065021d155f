import { Injectable } from '@nestjs/common';
import { Clock } from '../../../kernel/clock.js';
import {
  AuditRecords,
  AuditTrail,
  canonical,
  macOf,
  type AuditRow,
  type StoredAuditRecord,
} from '../../../platform/audit/index.js';
import { equalDigests, KeyRing } from '../../../platform/crypto/keys.js';
import { Database, type Sql, type Statement } from '../../../platform/postgres/database.js';
import {
  AuditChains,
  AuditHeads,
  type Chain,
  type StoredChain,
  type LockedChain,
  type SealedRecord,
  type Unsealed,
} from '../application/ports.js';
import { GENESIS } from '../domain/chain.js';

const CHAIN_COLUMNS = `tenant_id AS "tenantId", base_seq AS "baseSeq", base_hash AS "baseHash", sealed_seq AS "sealedSeq",
  head_hash AS "headHash", sealed_at AS "sealedAt", signature`;

const TENANTS: Statement = {
  name: 'audit-chain-tenants',
  text: `
SELECT tenant_id AS "tenantId" FROM audit_chain WHERE tenant_id > $1
UNION SELECT tenant_id FROM audit_head WHERE tenant_id > $1 AND chain_signature <> '' ORDER BY 1 LIMIT $2`,
};
const OPEN = `
INSERT INTO audit_chain (tenant_id, base_seq, base_hash, sealed_seq, head_hash, sealed_at, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id) DO NOTHING`;
const LOCK = `SELECT ${CHAIN_COLUMNS} FROM audit_chain WHERE tenant_id = $1 FOR UPDATE`;
const LOCK_IF_FREE = `${LOCK} SKIP LOCKED`;
const SAVE = `UPDATE audit_chain SET base_seq = $2, base_hash = $3, sealed_seq = $4, head_hash = $5, sealed_at = $6, signature = $7
WHERE tenant_id = $1`;
/** One statement, one snapshot: the ends in the row and those of the records belong together. */
const FIND: Statement = {
  name: 'audit-chain-find',
  text: `SELECT ${CHAIN_COLUMNS},
  (SELECT min(seq) FROM audit_record WHERE tenant_id = $1) AS "firstSeq",
  (SELECT max(seq) FROM audit_record WHERE tenant_id = $1) AS "lastSeq",
  (SELECT chain_signature FROM audit_head WHERE tenant_id = $1 AND key_id = $2) AS "headSignature"
FROM audit_chain WHERE tenant_id = $1`,
};
interface ChainRow {
  readonly tenantId: string;
  readonly baseSeq: number;
  readonly baseHash: string;
  readonly sealedSeq: number;
  readonly headHash: string;
  readonly sealedAt: number;
  readonly signature: string;
}

type FoundRow = ChainRow & {
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  readonly headSignature: string | null;
};
type Ends = Omit<Chain, 'genuine'>;

@Injectable()
export class PostgresAuditChains extends AuditChains {
  constructor(
    private readonly database: Database,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    private readonly heads: AuditHeads,
    private readonly trail: AuditTrail,
    private readonly records: AuditRecords,
  ) {
    super();
  }

  unsealedTenants(afterId: string, limit: number): Promise<string[]> {
    return this.records.unsealedTenants(afterId, limit);
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
      const statement = whenLocked === 'wait' ? LOCK : LOCK_IF_FREE;
      const lock = async (): Promise<ChainRow | undefined> =>
        (await sql.query<ChainRow & object>(statement, [tenantId])).rows[0];
      let row = await lock();
      if (!row) {
        await this.open(sql, tenantId);
        row = await lock();
      }
      if (!row) return undefined;
      // Separate statements, which see what the last holder of the row has committed.
      const lastSeq = await this.records.lastSeq(sql, tenantId);
      const head = await this.heads.find(sql, tenantId);
      return work(this.locked(sql, this.toChain(row, head?.chain), lastSeq));
    });
  }

  /** If the tenant has had a chain, it was removed from outside: the new row does not match the head, and is never continued. */
  private async open(sql: Sql, tenantId: string): Promise<void> {
    const ends = { tenantId, base: GENESIS, head: GENESIS, sealedAt: this.clock.now() };
    const { rowCount } = await sql.query(OPEN, this.valuesOf(ends));
    if (!rowCount || (await this.heads.find(sql, tenantId))?.chain) return;
    await this.heads.change(sql, tenantId, { chain: this.signatureOf(ends) });
  }

  async find(tenantId: string): Promise<StoredChain | undefined> {
    const [row] = await this.database.query<FoundRow>(FIND, [tenantId, this.keyId]);
    return row && { ...this.toChain(row, row.headSignature), firstSeq: row.firstSeq, lastSeq: row.lastSeq };
  }

  async sealed(tenantId: string, afterSeq: number, limit: number): Promise<SealedRecord[]> {
    return (await this.records.sealed(tenantId, afterSeq, limit)).map((row) => this.toSealed(row));
  }

  countUnsealed(tenantId: string): Promise<number> {
    return this.records.countUnsealed(tenantId);
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
      unsealed: async (limit): Promise<Unsealed[]> => {
        const rows = await this.records.unsealed(sql, tenantId, limit);
        return rows.map((row) => ({ auditId: row.auditId, text: textOf(row) }));
      },
      seal: async (places): Promise<void> => {
        await this.records.seal(sql, tenantId, places);
        const { seq, hash } = places.at(-1)!;
        await save({ base: chain.base, head: { seq, hash } });
      },
      sealed: async (afterSeq, limit) => {
        const rows = await this.records.sealedWithin(sql, tenantId, afterSeq, limit);
        return rows.map((row) => this.toSealed(row));
      },
      trim: async (base, record) => {
        await this.records.trim(sql, tenantId, base.seq);
        await this.trail.write(sql, record);
        await save({ base, head: chain.head });
      },
    };
  }

  private toSealed(row: StoredAuditRecord): SealedRecord {
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

/** The part of a record that the chain covers. */
const textOf = (row: AuditRow & { readonly mac: string }): string => `${row.mac}\n${canonical(row)}`;
