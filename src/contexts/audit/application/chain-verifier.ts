import { Injectable } from '@nestjs/common';
import { goOn } from '../domain/audit-errors.js';
import { follow, isBreak, type ChainBreak, type ChainPlace } from '../domain/chain.js';
import { AuditChains, type ChainInStore } from './ports.js';
import { SealRecords } from './seal-records.js';

const PAGE = 1_000;
const TENANTS = 100;
const TRIES = 3;

export interface Verdict {
  readonly tenantId: string;
  /** Undefined: the chain holds. */
  readonly broken: ChainBreak | undefined;
  /** Sealed ones that are kept. */
  readonly records: number;
  /** Records that are not sealed yet. */
  readonly pending: number;
  readonly head: ChainPlace & { readonly sealedAt: number };
}

/** Computes chains anew from what is in the store. */
@Injectable()
export class ChainVerifier {
  constructor(
    private readonly chains: AuditChains,
    private readonly seal: SealRecords,
  ) {}

  async *tenants(): AsyncGenerator<string> {
    for (let after = ''; ;) {
      const page = await this.chains.tenants(after, TENANTS);
      yield* page;
      if (page.length < TENANTS) return;
      after = page.at(-1)!;
    }
  }

  async verify(tenantId: string, signal: AbortSignal): Promise<Verdict> {
    await this.seal.sealAll(tenantId, signal);
    for (let attempt = 1; ; attempt++) {
      const chain = (await this.chains.find(tenantId))!;
      const broken = await this.breakOf(chain, signal);
      // Retention may have removed what was about to be read.
      const moved = broken && (await this.chains.find(tenantId))?.base.seq !== chain.base.seq;
      if (moved && attempt < TRIES) continue;
      const { base, head, sealedAt } = chain;
      const pending = await this.chains.countUnsealed(tenantId);
      return { tenantId, broken, records: head.seq - base.seq, pending, head: { ...head, sealedAt } };
    }
  }

  private async breakOf(chain: ChainInStore, signal: AbortSignal): Promise<ChainBreak | undefined> {
    const { tenantId, base, head, firstSeq, lastSeq } = chain;
    if (firstSeq !== null && firstSeq <= base.seq) return { fault: 'record-added', seq: firstSeq };
    const end = await this.walk(chain, signal);
    if (isBreak(end)) return end;
    if (end.hash !== head.hash || !chain.genuine) return { fault: 'chain-rewritten', seq: null };
    if (lastSeq === null || lastSeq <= head.seq) return undefined;
    const [added] = await this.chains.sealed(tenantId, head.seq, 1);
    return { fault: 'record-added', seq: added?.seq ?? lastSeq };
  }

  private async walk({ tenantId, base, head }: ChainInStore, signal: AbortSignal): Promise<ChainPlace | ChainBreak> {
    let place = base;
    while (place.seq < head.seq) {
      goOn(signal);
      const page = await this.chains.sealed(tenantId, place.seq, Math.min(PAGE, head.seq - place.seq));
      const end = follow(place, page);
      if (isBreak(end)) return end;
      if (end.seq === place.seq) return { fault: 'record-missing', seq: place.seq + 1 };
      place = end;
    }
    return place;
  }
}
