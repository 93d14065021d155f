import type { AuditRecord } from '../../../platform/audit/index.js';
import type { Sql } from '../../../platform/postgres/database.js';
import type { ChainPlace, ChainRecord } from '../domain/chain.js';
import type { TenantHead } from '../domain/heads.js';

/** The ends of a chain. */
export interface Chain {
  readonly tenantId: string;
  /** Where the records that are left begin: the last one that retention has removed. */
  readonly base: ChainPlace;
  readonly head: ChainPlace;
  readonly sealedAt: number;
  /** Whether its signature fits, and is the last one that was given to it. */
  readonly genuine: boolean;
}

/** A chain, with what of it is in the store at the same moment. */
export interface ChainInStore extends Chain {
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
}

export interface Unsealed {
  readonly auditId: string;
  readonly text: string;
}

/** A record that is sealed, and when it happened. */
export interface SealedRecord extends ChainRecord {
  readonly occurredAt: number;
}

/** A chain whose row is locked: nobody else changes it. */
export interface LockedChain {
  readonly chain: Chain;
  /** Its signature fits, and no record has a number behind its head: it may be changed and signed anew. */
  readonly intact: boolean;
  /** In order of ids. */
  unsealed(limit: number): Promise<Unsealed[]>;
  /** Gives records their places and moves the head to the last of them. */
  seal(places: readonly (ChainPlace & { readonly auditId: string })[]): Promise<void>;
  sealed(afterSeq: number, limit: number): Promise<SealedRecord[]>;
  /** Removes the records up to `base`, begins the chain behind it, and writes that down in the same transaction. */
  trim(base: ChainPlace, record: AuditRecord): Promise<void>;
}

export abstract class AuditChains {
  /** Tenants with records that are not sealed, in order of ids. */
  abstract unsealedTenants(afterId: string, limit: number): Promise<string[]>;
  /** Tenants with a chain, in order of ids. */
  abstract tenants(afterId: string, limit: number): Promise<string[]>;
  /**
   * In one transaction. Where somebody else is at it, `skip` answers undefined with nothing done, `wait` comes next (or fails with
   * `store-unavailable` after five lock timeouts). A tenant's first call makes its chain.
   */
  abstract withLock<T>(
    tenantId: string,
    work: (chain: LockedChain) => Promise<T>,
    whenLocked?: 'skip' | 'wait',
  ): Promise<T | undefined>;
  abstract find(tenantId: string): Promise<ChainInStore | undefined>;
  abstract sealed(tenantId: string, afterSeq: number, limit: number): Promise<SealedRecord[]>;
  abstract countUnsealed(tenantId: string): Promise<number>;
}

export interface Retention {
  readonly days: number;
  /** 0: the default of the installation holds. */
  readonly version: number;
  /** Whether we have written it, and it is the last that we wrote. Nothing is removed by one that is not. */
  readonly genuine: boolean;
}

export abstract class AuditRetentions {
  /** Undefined: the tenant has none of its own, and has never had one. Days are within the bounds of a retention, whatever is stored. */
  abstract find(tenantId: string): Promise<Retention | undefined>;
  /** Replaces what has this version (0: there is none); false where it has another. */
  abstract replace(sql: Sql, tenantId: string, version: number, days: number, now: number): Promise<boolean>;
  /** Signs those of another master key whose signature fits. Some at a time, and again without harm. */
  abstract signAll(): Promise<void>;
  /** Gives those a head that are signed and have none under this master key. Again without harm. */
  abstract keepHeads(): Promise<void>;
}

export type HeadChange = Partial<Pick<TenantHead, 'chain' | 'retention'>>;

/**
 * The signatures that the rows of each tenant had last, and a sum over all of them that only we can make: a signed row that is put back
 * does not fit its tenant's head, and a head that is put back does not fit the sum. One of each for each master key, as chains are.
 */
export abstract class AuditHeads {
  /** Under this master key, where nothing has been signed with it; what is missing otherwise was taken away, and stays missing. */
  abstract begin(): Promise<void>;
  abstract find(sql: Sql, tenantId: string): Promise<TenantHead | undefined>;
  /** At the end of a transaction: those of other tenants wait for it. */
  abstract change(sql: Sql, tenantId: string, change: HeadChange): Promise<void>;
  /** Whether the sum is that of all heads. */
  abstract whole(): Promise<boolean>;
}
