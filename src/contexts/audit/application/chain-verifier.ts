import { Injectable } from '@nestjs/common';
import { throwIfStopped } from '../domain/audit-errors.js';
import { follow, isBreak, type ChainBreak, type ChainPlace } from '../domain/chain.js';
import { AuditChains, AuditHeads, AuditRetentions, type StoredChain } from './ports.js';
import { SealRecords } from './seal-records.js';

const PAGE = 1_000;
const TENANTS = 100;
const TRIES = 3;

export interface Verdict {
  readonly tenantId: string;
  /** Undefined: the chain is intact. */
  readonly broken: ChainBreak | undefined;
  /** Sealed records that retention has left. */
  readonly records: number;
  /** Records that are not sealed yet. */
  readonly pending: number;
  readonly head: ChainPlace & { readonly sealedAt: number };
  /** Whether the head in question is still in the chain; null: unknown, because retention has removed its record. */
  readonly holds?: boolean | null;
}

/** Computes chains again from what is in the store. */
@Injectable()
export class ChainVerifier {
  constructor(
    private readonly chains: AuditChains,
    private readonly seal: SealRecords,
    private readonly retentions: AuditRetentions,
    private readonly heads: AuditHeads,
  ) {}

  async *tenants(): AsyncGenerator<string> {
    for (let after = ''; ;) {
      const page = await this.chains.tenants(after, TENANTS);
      yield* page;
      if (page.length < TENANTS) return;
      after = page.at(-1)!;
    }
  }

  /** Undefined, or the fault that some chain, unknown which, is not the newest of its tenant. */
  async breakOfHeads(): Promise<ChainBreak | undefined> {
    return (await this.heads.matchTotal()) ? undefined : { fault: 'heads-rewritten', seq: null };
  }

  /** `kept`: an earlier head that was kept elsewhere. */
  async verify(tenantId: string, signal: AbortSignal, kept?: ChainPlace): Promise<Verdict> {
    await this.seal.sealAll(tenantId, signal);
    for (let attempt = 1; ; attempt++) {
      const chain = (await this.chains.find(tenantId))!;
      const found = await this.breakOf(chain, signal);
      const holds = kept && (await this.holds(chain, found, kept));
      const lost: ChainBreak | undefined = holds === false ? { fault: 'chain-rewritten', seq: null } : undefined;
      // Retention may have removed what was about to be read.
      const moved = (found || lost) && (await this.chains.find(tenantId))?.base.seq !== chain.base.seq;
      if (moved && attempt < TRIES) continue;
      const { base, head, sealedAt } = chain;
      const broken = found ?? lost ?? (await this.breakOfRetention(tenantId));
      const pending = await this.chains.countUnsealed(tenantId);
      const records = head.seq - base.seq;
      return { tenantId, broken, records, pending, head: { ...head, sealedAt }, ...(kept && { holds }) };
    }
  }

  private async breakOfRetention(tenantId: string): Promise<ChainBreak | undefined> {
    const retention = await this.retentions.find(tenantId);
    return !retention || retention.genuine ? undefined : { fault: 'retention-rewritten', seq: null };
  }

  /** Relies on `broken`: the stored hashes before its number, or all of them, have been verified. */
  private async holds(
    { tenantId, base, head }: StoredChain,
    broken: ChainBreak | undefined,
    { seq, hash }: ChainPlace,
  ): Promise<boolean | null> {
    if (seq < base.seq) return null;
    if (seq === base.seq) return hash === base.hash;
    if (seq > head.seq || (broken?.seq && seq >= broken.seq)) return false;
    const [record] = await this.chains.sealed(tenantId, seq - 1, 1);
    return record?.seq === seq && record.hash === hash;
  }

  private async breakOf(chain: StoredChain, signal: AbortSignal): Promise<ChainBreak | undefined> {
    const { tenantId, base, head, firstSeq, lastSeq } = chain;
    if (firstSeq !== null && firstSeq <= base.seq) return { fault: 'record-added', seq: firstSeq };
    const end = await this.walk(chain, signal);
    if (isBreak(end)) return end;
    if (end.hash !== head.hash || !chain.genuine) return { fault: 'chain-rewritten', seq: null };
    if (lastSeq === null || lastSeq <= head.seq) return undefined;
    const [added] = await this.chains.sealed(tenantId, head.seq, 1);
    return { fault: 'record-added', seq: added?.seq ?? lastSeq };
  }

  private async walk({ tenantId, base, head }: StoredChain, signal: AbortSignal): Promise<ChainPlace | ChainBreak> {
    let place = base;
    while (place.seq < head.seq) {
      throwIfStopped(signal);
      const page = await this.chains.sealed(tenantId, place.seq, Math.min(PAGE, head.seq - place.seq));
      const end = follow(place, page);
      if (isBreak(end)) return end;
      if (end.seq === place.seq) return { fault: 'record-missing', seq: place.seq + 1 };
      place = end;
    }
    return place;
  }
}
