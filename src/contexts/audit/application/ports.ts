import type { AuditRecord } from '../../../platform/audit/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { ChainPlace, ChainRecord } from '../domain/chain.js';
import type { TenantHead } from '../domain/heads.js';

/** The ends of a chain. */
export interface Chain {
  readonly tenantId: string;
  /** The last record that retention has removed: what is left follows it. */
  readonly base: ChainPlace;
  readonly head: ChainPlace;
  readonly sealedAt: number;
  /** Whether its signature is valid, and the last one that we made for it. */
  readonly genuine: boolean;
}

/** A chain, and the first and last numbers among the stored records, from one snapshot. */
export interface StoredChain extends Chain {
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
}

export interface Unsealed {
  readonly auditId: string;
  readonly text: string;
}

/** A sealed record and its time. */
export interface SealedRecord extends ChainRecord {
  readonly occurredAt: number;
}

/** A chain whose row is locked: no one else changes it. */
export interface LockedChain {
  readonly chain: Chain;
  /** Its signature is valid and no record has a number beyond its head: it may be changed and signed again. */
  readonly intact: boolean;
  /** In order of ids. */
  unsealed(limit: number): Promise<Unsealed[]>;
  /** Gives records their places and moves the head to the last of them. */
  seal(places: readonly (ChainPlace & { readonly auditId: string })[]): Promise<void>;
  sealed(afterSeq: number, limit: number): Promise<SealedRecord[]>;
  /** Removes the records up to `base`, makes it the base of the chain, and writes `record`, all in the same transaction. */
  trim(base: ChainPlace, record: AuditRecord): Promise<void>;
}

export abstract class AuditChains {
  /** Tenants with records that are not sealed, in order of ids. */
  abstract unsealedTenants(afterId: string, limit: number): Promise<string[]>;
  /** Tenants with a chain, in order of ids. */
  abstract tenants(afterId: string, limit: number): Promise<string[]>;
  /**
   * Runs `work` in one transaction. If the chain is locked, `skip` does nothing and returns undefined; `wait` waits for the lock, or fails
   * with `store-unavailable` after five lock timeouts. The first call for a tenant creates its chain.
   */
  abstract withLock<T>(
    tenantId: string,
    work: (chain: LockedChain) => Promise<T>,
    whenLocked?: 'skip' | 'wait',
  ): Promise<T | undefined>;
  abstract find(tenantId: string): Promise<StoredChain | undefined>;
  abstract sealed(tenantId: string, afterSeq: number, limit: number): Promise<SealedRecord[]>;
  abstract countUnsealed(tenantId: string): Promise<number>;
}

export interface Retention {
  readonly days: number;
  /** 0: the default of the installation applies. */
  readonly version: number;
  /** Whether it is the last one that we wrote. One that is not removes nothing. */
  readonly genuine: boolean;
}

export abstract class AuditRetentions {
  /** Undefined: the tenant has never had a retention of its own. Days are within bounds, whatever is stored. */
  abstract find(tenantId: string): Promise<Retention | undefined>;
  /** Replaces the retention of this version (0: there is none); false where the version is another. */
  abstract replace(sql: Sql, tenantId: string, version: number, days: number, now: number): Promise<boolean>;
  /** Signs again those with a valid signature by another master key. In batches; idempotent. */
  abstract signAgain(): Promise<void>;
  /** Creates heads for signed retentions that have none under this master key. Idempotent. */
  abstract addMissingHeads(): Promise<void>;
}

export type HeadChange = Partial<Pick<TenantHead, 'chain' | 'retention'>>;

/**
 * The last signatures of each tenant's rows, and a sum over all of them that only we can compute: an old signed row that is put back does
 * not match the head of its tenant, and an old head that is put back does not match the sum. Heads and sum exist once for each master key.
 */
export abstract class AuditHeads {
  /** Creates the sum, if nothing has been signed with this master key yet; otherwise a missing sum was removed, and stays missing. */
  abstract initialize(): Promise<void>;
  abstract find(sql: Sql, tenantId: string): Promise<TenantHead | undefined>;
  /** Call it at the end of a transaction: changes for other tenants wait for its commit. */
  abstract change(sql: Sql, tenantId: string, change: HeadChange): Promise<void>;
  /** Whether the stored sum is that of all heads. */
  abstract matchTotal(): Promise<boolean>;
}
